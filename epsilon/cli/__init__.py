"""One file a command: the docstring is its help, `add_arguments` its options, `run` does it."""
