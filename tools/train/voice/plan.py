"""How the voice is trained: how long, how fast it learns, and what is compared in which part of the time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

_WARM_UP_STEPS = 40
_LAST_RATE = 0.04  # of the highest


class Phase(Enum):
    """What is compared with the teacher; each phase goes on with what the one before compares."""

    PARAMETERS = "parameters"  # durations, melody, filters: quick, gets everything into place
    SOUND = "sound"  # also spectra of the sound: levels, and the joins between frames
    ADVERSARY = "adversary"  # also what discriminators make of it: fine structure that a mean smooths over


@dataclass(frozen=True)
class Plan:
    """Shares are of the time, counted over all resumed runs."""

    minutes: float
    peak_rate: float = 1.5e-3
    sound_from: float = 0.5
    adversary_from: float = 0.75
    frames_in_batch: int = 3200
    filters_beside_sound: float = 0.5  # weight of the filters' distance once the sound is compared
    faster_on_tunes: float = 3.0  # than the rate of other steps
    verdict: float = 0.3  # weight of the discriminators' verdict
    features: float = 1.0  # weight of the distance of what their layers see
    crops_judged: int = 10  # of a batch, the discriminators are slow
    frames_judged: int = 60
    average: float = 0.998  # of the weights, the exported ones
    seed: int = 1

    @classmethod
    def warm(cls, minutes: float) -> Plan:
        """For a voice that speaks already: smaller steps, and the sound from early on."""
        return cls(minutes, peak_rate=5e-4, sound_from=0.1, adversary_from=0.8, frames_in_batch=1600)

    def share(self, elapsed_s: float) -> float:
        """Of the plan's time that is over, at most 1."""
        return min(1.0, elapsed_s / (self.minutes * 60))

    def phase(self, elapsed_s: float) -> Phase:
        """Where in the plan training is."""
        share = self.share(elapsed_s)
        if share >= self.adversary_from:
            return Phase.ADVERSARY
        return Phase.SOUND if share >= self.sound_from else Phase.PARAMETERS

    def rate(self, elapsed_s: float, step: int) -> float:
        """A cosine over the time, after a short rise over the first steps."""
        cosine = 0.5 * (1 + math.cos(math.pi * self.share(elapsed_s)))
        rise = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return self.peak_rate * rise * (_LAST_RATE + (1 - _LAST_RATE) * cosine)
