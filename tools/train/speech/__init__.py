"""Synthetic speech from the formant and diphone synthesizers of the distribution (flite, espeak-ng)."""
