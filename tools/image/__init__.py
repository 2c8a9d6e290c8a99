"""Builds the image that a board boots from: a Debian that starts the toy and nothing else."""
