"""Crush: fewer bits and fewer samples, as of a cheap toy of the eighties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.ring import Samples


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    bits: int = setting("what a sample is rounded to", 8, low=2, high=16)
    hold_frames: int = setting("for how many frames a sample is held", 2, low=1, high=16)


class Crush:
    """Holds every sample for `hold_frames` and rounds it to `bits`."""

    delay_frames = tail_frames = 0

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._levels, self._hold = 2.0 ** (options.bits - 1), options.hold_frames
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
        taken = places - places % self._hold - self._at  # negative: the sample held from the block before
        values: Samples = np.where(taken >= 0, block[np.maximum(taken, 0)], self._held)
        self._held = values[-1:]
        self._at += len(block)
        return np.clip(np.round(values * self._levels) / self._levels, -1, 1).astype(np.float32)


def load(options: Options, sample_rate_hz: int) -> Crush:
    """The effect with a character's options."""
    return Crush(options, sample_rate_hz)
