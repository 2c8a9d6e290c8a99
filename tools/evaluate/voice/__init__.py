"""How the voice sounds: understood words, melody, timing, spectrum and faults, beside its teacher's, as a table."""

from __future__ import annotations

RATE_HZ = 16_000
HOP_SAMPLES = 160  # of everything that is measured frame by frame: 10 ms
