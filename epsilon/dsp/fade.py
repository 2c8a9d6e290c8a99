"""Fades: ends without a click."""

from __future__ import annotations

import numpy as np

from epsilon.ring import Samples


def fade_out(samples: Samples) -> Samples:
    """Samples [n] falling to nothing along half a cosine."""
    return samples * _half_cosine(len(samples))


def fade_in(samples: Samples) -> Samples:
    """Samples [n] rising from nothing along half a cosine."""
    return samples * _half_cosine(len(samples))[::-1]


def _half_cosine(count: int) -> Samples:
    return (0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)
