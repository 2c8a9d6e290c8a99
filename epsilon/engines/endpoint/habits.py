"""How long this user's pauses are, learnt as the conversation goes on."""

from __future__ import annotations

import math

USUAL_PAUSE_MS = 450.0  # the middle of pauses inside a thought (tools/turns/pauses.py)
_SPREADS = (0.45, 0.3)  # of the natural logarithm, of usual pauses and of long ones
_LONG_MS, _LONG_SHARE = 1350.0, 0.17
_RAREST_MS = 1900.0
_LEARNING = 0.15  # share of the newest pause in the mean
_MOST = math.log(2.5)  # however odd the pauses, nobody is thought to be slower or quicker than by this


def rarity(silence_ms: float) -> float:
    """How seldom a pause inside a thought is so long: minus the natural logarithm of the share of those that are."""
    silence_ms = min(_RAREST_MS, max(1.0, silence_ms))
    usual, long = (
        math.erfc(math.log(silence_ms / median_ms) / spread / math.sqrt(2)) / 2
        for median_ms, spread in zip((USUAL_PAUSE_MS, _LONG_MS), _SPREADS, strict=True)
    )
    return -math.log((1 - _LONG_SHARE) * usual + _LONG_SHARE * long)


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
