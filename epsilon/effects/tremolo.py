"""Tremolo: loudness that swings, as of somebody who shivers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from epsilon.effects import Number, read_options
from epsilon.ring import Samples

OPTIONS = {"rate_hz": Number(0.1, 20, 5), "depth": Number(0, 1, 0.3)}


class Tremolo:
    """Multiplies by 1 … 1 - depth, `rate_hz` times a second."""

    tail_frames = 0

    def __init__(self, rate_hz: float, depth: float, sample_rate_hz: int) -> None:
        self._step, self._depth = 2 * np.pi * rate_hz / sample_rate_hz, depth
        self._at = 0

    def reset(self) -> None:
        """Start at the loudest point again."""
        self._at = 0

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        swing = 0.5 - 0.5 * np.cos(self._step * np.arange(self._at, self._at + len(block)))
        self._at += len(block)
        return (block * (1 - self._depth * swing)).astype(np.float32)


def load(options: Mapping[str, object], sample_rate_hz: int) -> Tremolo:
    """The effect with a character's options."""
    return Tremolo(**read_options(options, OPTIONS), sample_rate_hz=sample_rate_hz)
