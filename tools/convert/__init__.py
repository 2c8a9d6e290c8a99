"""Turns checkpoints of others into the model folders that the toy runs."""
