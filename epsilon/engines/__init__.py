"""Models with their code: maths and no threads. One folder a kind, one module an engine, named in the board file."""
