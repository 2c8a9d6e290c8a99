"""One module an item of the self-test; see epsilon/selftest for what each has."""
