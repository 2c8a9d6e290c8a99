"""When is the user done? One module an engine; its name is the `engine:` of a board file's `turn`."""
