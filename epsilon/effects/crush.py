"""Crush: fewer bits and fewer samples, as of a cheap toy of the eighties."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from epsilon.effects import Number, read_options
from epsilon.ring import Samples

OPTIONS = {"bits": Number(2, 16, 8), "hold_frames": Number(1, 16, 2)}


class Crush:
    """Holds every sample for `hold_frames` and rounds it to `bits`."""

    tail_frames = 0

    def __init__(self, bits: float, hold_frames: float, sample_rate_hz: int) -> None:
        self._levels, self._hold = 2.0 ** (round(bits) - 1), round(hold_frames)
        self.reset()

    def reset(self) -> None:
        """Forget the sample being held."""
        self._at = 0
        self._held = np.zeros(1, np.float32)

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        if len(block) == 0:
            return block
        places = np.arange(self._at, self._at + len(block))
        taken = (
            places - places % self._hold - self._at
        )  # may be negative: the sample held from the block before
        values: Samples = np.where(taken >= 0, block[np.maximum(taken, 0)], self._held)
        self._held = values[-1:]
        self._at += len(block)
        return np.clip(np.round(values * self._levels) / self._levels, -1, 1).astype(np.float32)


def load(options: Mapping[str, object], sample_rate_hz: int) -> Crush:
    """The effect with a character's options."""
    return Crush(**read_options(options, OPTIONS), sample_rate_hz=sample_rate_hz)
