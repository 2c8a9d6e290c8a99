"""Turns checkpoints of language models into the model folders that the toy runs."""
