"""Spoken turns with marked ends, made from a seed: `python -m tools.turns OUT --count 300 --seed 6`."""
