"""Ring modulation: the voice times a tone, as machines sound in old films."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from epsilon.effects import Number, read_options
from epsilon.ring import Samples

OPTIONS = {"tone_hz": Number(5, 2000, 60), "mix": Number(0, 1, 0.5)}


class RingModulator:
    """`mix` of the voice is multiplied by a sine of `tone_hz`, the rest stays."""

    tail_frames = 0

    def __init__(self, tone_hz: float, mix: float, sample_rate_hz: int) -> None:
        self._step, self._mix = 2 * np.pi * tone_hz / sample_rate_hz, mix
        self._at = 0

    def reset(self) -> None:
        """Start the tone again."""
        self._at = 0

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        tone = np.sin(self._step * np.arange(self._at, self._at + len(block)))
        self._at += len(block)
        return (block * (1 - self._mix + self._mix * tone)).astype(np.float32)


def load(options: Mapping[str, object], sample_rate_hz: int) -> RingModulator:
    """The effect with a character's options."""
    return RingModulator(**read_options(options, OPTIONS), sample_rate_hz=sample_rate_hz)
