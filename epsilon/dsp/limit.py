"""Keeps a sound inside full scale: what is too loud bends instead of being cut off."""

from __future__ import annotations

import numpy as np

from epsilon.ring import Samples

KNEE = 0.8  # of full scale: below it nothing changes
CEILING = 0.98


def soft(samples: Samples) -> Samples:
    """Samples [n], each bent on its own, so that blocks are the whole: never beyond CEILING, and never with a step."""
    sizes = np.abs(samples)
    if not np.any(sizes > KNEE):
        return samples
    room = CEILING - KNEE
    bent = KNEE + room * np.tanh((sizes - KNEE) / room)
    return np.where(sizes > KNEE, np.copysign(bent, samples), samples).astype(np.float32)
