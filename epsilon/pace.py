"""How fast the voice is made on this machine, learnt while it speaks: a slow one waits before a phrase sounds."""

from __future__ import annotations

import math

from epsilon.engines.protocols import SAMPLE_RATE_HZ

KEPT = 0.95  # of what was learnt, with each further chunk: the last four seconds of speech count most
MARGIN = 1.1  # the board may get warmer, and the mind thinks beside the voice


class Pace:
    """The voice's speed over its last chunks.

    The times are the clock's: in lock-step, where making takes none, every voice is made at once.
    """

    def __init__(self) -> None:
        self._frames = self._took_s = 0.0

    def learn(self, frames: int, took_s: float) -> None:
        """A chunk of so many frames came `took_s` seconds after the one before it."""
        self._frames = KEPT * self._frames + frames
        self._took_s = KEPT * self._took_s + took_s

    @property
    def speed(self) -> float:
        """Seconds of sound made in one second; 0 while nothing is known, inf where it takes no time."""
        if self._took_s:
            return self._frames / SAMPLE_RATE_HZ / self._took_s
        return math.inf if self._frames else 0.0

    def making_s(self, frames: int) -> float:
        """How long so many frames take to be made, with a margin; inf while nothing is known."""
        return MARGIN * frames / SAMPLE_RATE_HZ / self.speed if self.speed else math.inf
