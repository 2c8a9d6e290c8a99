"""Tremolo: loudness that swings, as of somebody who shivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.ring import Samples


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    rate_hz: float = setting("how often it swings", 5.0, low=0.1, high=20)
    depth: float = setting("how far: 1 reaches silence", 0.3, low=0, high=1)


class Tremolo:
    """Swings by 1 … 1 - depth, `rate_hz` times a second, about the loudness that was there before."""

    delay_frames = tail_frames = 0

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._step, self._depth = 2 * np.pi * options.rate_hz / sample_rate_hz, options.depth
        self._level = 1 / np.hypot(1 - options.depth / 2, options.depth / np.sqrt(8))  # 1 / rms of the swing
        self._at = 0

    def reset(self) -> None:
        """Start at the loudest point again."""
        self._at = 0

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        swing = 0.5 - 0.5 * np.cos(self._step * np.arange(self._at, self._at + len(block)))
        self._at += len(block)
        return np.clip(block * (self._level * (1 - self._depth * swing)), -1, 1).astype(np.float32)


def load(options: Options, sample_rate_hz: int) -> Tremolo:
    """The effect with a character's options."""
    return Tremolo(options, sample_rate_hz)
