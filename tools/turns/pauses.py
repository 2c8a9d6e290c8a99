"""How long people are silent inside a thought.

Campione and Véronis, "A large-scale multilingual study of silent pause duration", Speech Prosody 2002, 199-202:
6,000 pauses in five languages are log-normal in three classes: brief (below 200 ms: articulation, no pause of
thought), medium (200-1000 ms) and long (above 1000 ms), the last in spontaneous speech only. Here each of the two
upper classes is one log-normal. The abstract has no medians, spreads and shares for conversations; those below
are ours, chosen so that a plain silence timer on these turns cuts in about as often as on the real turns of
livekit/eot-bench (55.6 % of the turns at 300 ms, 21.7 % at 600 ms, 10 % at 1.0 s, 5 % at 1.6 s).
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple


class LogNormal(NamedTuple):
    """A log-normal by its median and the standard deviation of the natural logarithm."""

    median_s: float
    spread: float

    def draw(self, rng: random.Random) -> float:
        return rng.lognormvariate(math.log(self.median_s), self.spread)


MEDIUM = LogNormal(0.43, 0.45)
LONG = LogNormal(1.35, 0.3)
LONG_SHARE = 0.17
SHORTEST_S, LONGEST_S = 0.2, 2.0


def draw_pause(rng: random.Random, longer: float = 1.0) -> float:
    """A pause in s; `longer` stretches those of a slow speaker."""
    while True:
        kind = LONG if rng.random() < LONG_SHARE else MEDIUM
        pause_s = longer * kind.draw(rng)
        if SHORTEST_S <= pause_s <= LONGEST_S:
            return pause_s
