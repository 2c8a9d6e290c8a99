"""What the light says: a pattern for each sign, as data, and its shade at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from epsilon.hardware import DARK, Colour


class Sign(Enum):
    """How the toy is, the most important last."""

    LISTENING = "it waits"
    LOW = "the battery is nearly empty"
    HOT = "it is too warm"
    HEARING = "somebody speaks to it"
    THINKING = "it was asked, and has not answered yet"
    SPEAKING = "it speaks"
    MUTED = "its microphone is switched off"
    LEAVING = "it says goodbye"
    TROUBLE = "something broke"


class Motion(Enum):
    """How a light moves: what share of its brightness it has, by the share of its period that has passed."""

    STEADY = "as bright all the time"
    BREATHE = "slowly up and down, never out"
    PULSE = "short, then dark"
    FADE = "once down to nothing"


@dataclass(frozen=True)
class Pattern:
    """A colour and how it moves."""

    colour: Colour
    motion: Motion = Motion.STEADY
    period_s: float = 1.0

    @property
    def moves(self) -> bool:
        """False when one look at it is enough."""
        return self.motion is not Motion.STEADY


PATTERNS = {
    Sign.LISTENING: Pattern(Colour(0.0, 0.10, 0.04)),
    Sign.LOW: Pattern(Colour(0.60, 0.18, 0.0), Motion.PULSE, 4.0),
    Sign.HOT: Pattern(Colour(0.80, 0.05, 0.0), Motion.BREATHE, 3.0),
    Sign.HEARING: Pattern(Colour(0.0, 0.25, 1.0)),
    Sign.THINKING: Pattern(Colour(0.55, 0.35, 0.9), Motion.BREATHE, 0.9),
    Sign.SPEAKING: Pattern(Colour(0.1, 0.9, 0.25), Motion.BREATHE, 1.6),
    Sign.MUTED: Pattern(Colour(0.25, 0.0, 0.0)),
    Sign.LEAVING: Pattern(Colour(1.0, 0.55, 0.15), Motion.FADE, 6.0),
    Sign.TROUBLE: Pattern(Colour(1.0, 0.0, 0.0), Motion.PULSE, 0.5),
}
LEAST = 0.25  # of a light that breathes, at its darkest
SHORT = 0.3  # of the period, how long a pulse lasts
FRAME_S = 0.04  # between two shades of a light that moves
GAMMA = 2.2  # eyes see twice the current as much less than twice the light


def shade(pattern: Pattern, since_s: float, brightness: float = 1.0) -> Colour:
    """What a pattern shows so long after it began; `brightness` dims all of it."""
    share = brightness * _share(pattern.motion, since_s / pattern.period_s)
    if share <= 0:
        return DARK
    return Colour(*(round((part * share) ** GAMMA, 3) for part in pattern.colour))


def _share(motion: Motion, periods: float) -> float:
    within = periods % 1
    match motion:
        case Motion.STEADY:
            return 1.0
        case Motion.BREATHE:
            return LEAST + (1 - LEAST) * (1 - math.cos(2 * math.pi * within)) / 2
        case Motion.PULSE:
            return 1.0 if within < SHORT else 0.0
        case Motion.FADE:
            return max(0.0, 1 - periods)
