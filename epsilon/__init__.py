"""Epsilon: a character that lives in a small board, a microphone and a speaker, and talks back."""

__version__ = "0.1.0"
