"""The boxes of the pipeline, one file each: a thread and no maths. `toy.py` wires them."""
