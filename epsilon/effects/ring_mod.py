"""Ring modulation: the voice times a tone, as machines sound in old films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.ring import Samples


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    tone_hz: float = setting("what the voice is multiplied by", 60.0, low=5, high=2000)
    mix: float = setting("how much of the voice is", 0.5, low=0, high=1)


class RingModulator:
    """`mix` of the voice is multiplied by a sine of `tone_hz`, the rest stays."""

    delay_frames = tail_frames = 0

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._step, self._mix = 2 * np.pi * options.tone_hz / sample_rate_hz, options.mix
        self._at = 0

    def reset(self) -> None:
        """Start the tone again."""
        self._at = 0

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        tone = np.sin(self._step * np.arange(self._at, self._at + len(block)))
        self._at += len(block)
        return (block * (1 - self._mix + self._mix * tone)).astype(np.float32)


def load(options: Options, sample_rate_hz: int) -> RingModulator:
    """The effect with a character's options."""
    return RingModulator(options, sample_rate_hz)
