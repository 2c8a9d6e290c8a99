"""Recognisers: sound to words. A module with `load` is an engine; the others are parts of engines."""
