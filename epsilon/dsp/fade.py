"""Fades: ends without a click."""

from __future__ import annotations

import numpy as np

from epsilon.ring import Samples


def fade_out(samples: Samples) -> Samples:
    """Samples [n] falling to nothing along half a cosine."""
    count = len(samples)
    return samples * (0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)


def fade_in(samples: Samples) -> Samples:
    """Samples [n] rising from nothing along half a cosine."""
    return fade_out(samples[::-1])[::-1]
