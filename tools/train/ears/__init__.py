"""Trains the pocket recogniser: a small Whisper-type encoder-decoder on synthetic speech."""
