"""How long this user's pauses are, learnt as the conversation goes on."""

from __future__ import annotations

import math

USUAL_PAUSE_MS = 450.0  # the middle of pauses inside a thought (tools/turns/pauses.py)
_LEARNING = 0.15  # share of the newest pause in the mean
_MOST = math.log(2.5)  # however odd the pauses, nobody is thought to be slower or quicker than by this


class Habits:
    """An exponential mean of the logarithms of the pauses that turned out to be inside a turn."""

    def __init__(self) -> None:
        self._slowness = 0.0

    def learn(self, pause_ms: float) -> None:
        """Take a pause after which the same turn went on."""
        news = math.log(max(1.0, pause_ms) / USUAL_PAUSE_MS)
        slowness = self._slowness + _LEARNING * (news - self._slowness)
        self._slowness = min(_MOST, max(-_MOST, slowness))

    @property
    def slowness(self) -> float:
        """The natural logarithm of this user's pauses over those of most people; 0 as long as nothing is known."""
        return self._slowness
