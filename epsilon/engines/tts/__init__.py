"""Synthesizers: phonemes to sound. A module with `load` is an engine; the others turn text into phonemes."""
