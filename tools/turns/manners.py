"""How a speaker keeps the turn or gives it away, done to the last syllable of what a synthesizer said.

Before a pause inside a thought people draw out the syllable (silent pauses alone do not mark hesitation: Campione
and Véronis, "Pauses and hesitations in French spontaneous speech", DiSS 2005, 43-46) and hold its pitch; where the
turn is given away the pitch falls, or rises high in a question, the voice gets softer, and the syllable is drawn
out less (Gravano and Hirschberg, "Turn-taking cues in task-oriented dialogue", Computer Speech and Language 25,
2011). The synthesizers do little of it. How often and how much is our choice; some speakers do none of it, and both
kinds go through the same changes, so that those leave no trace.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np

from tools.train.speech.voices import RATE_HZ
from tools.turns.timed import Wave

SHARE = 0.85  # of the turns have such a speaker
TAIL_S = 0.26  # what is changed at most
_FRAME, _HOP = 480, 240  # 30 ms
_SEARCH = 130  # samples to either side: a period of 123 Hz


class Manner(NamedTuple):
    """Changes that are complete at the end of the sound."""

    semitones: float
    decibels: float
    longer: float


def draw_manner(melody: str, pauses: bool, rng: random.Random) -> Manner:
    """For a part that ends so: "on", "final" or "ask"; one that goes on without a pause is left as it is."""
    if melody == "on" and not pauses:
        return Manner(0.0, 0.0, 1.0)
    if melody == "on":
        longer = rng.uniform(1.3, 2.2) if rng.random() < 0.75 else rng.uniform(1.0, 1.2)
        return Manner(rng.uniform(-0.5, 2.5), rng.uniform(-2.0, 0.5), longer)
    if melody == "ask" and rng.random() < 0.45:
        return Manner(rng.uniform(3.0, 7.0), rng.uniform(-3.0, 0.0), rng.uniform(0.95, 1.25))
    return Manner(rng.uniform(-6.0, -1.0), rng.uniform(-8.0, -2.0), rng.uniform(0.95, 1.25))


def said(piece: Wave, manner: Manner) -> Wave:
    """The piece, its last syllable said in this manner."""
    count = min(len(piece) // 2, round(TAIL_S * RATE_HZ))
    if manner == Manner(0.0, 0.0, 1.0) or count < 3 * _FRAME:
        return piece
    tail = piece[-count:]
    pace = 2 ** (manner.semitones / 12 * np.linspace(0, 1, count) ** 1.5)
    pace = np.interp(np.linspace(0, 1, round(count / pace.mean())), np.linspace(0, 1, count), pace)
    bent = np.interp(np.cumsum(pace) - pace[0], np.arange(count), tail).astype(np.float32)
    longer = stretched(
        np.concatenate([piece[-2 * count : -count], bent]), count, manner.longer * count / len(bent)
    )
    fading = 10 ** (np.linspace(0, manner.decibels, len(longer)) / 20)
    return np.concatenate([piece[:-count], (longer * fading).astype(np.float32)])


def stretched(wave: Wave, first: int, factor: float) -> Wave:
    """What follows `first`, longer by a factor and at its own pitch (WSOLA: Verhelst and Roelands 1993)."""
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    padded = np.pad(wave, (0, 2 * _FRAME))
    count = round((len(wave) - first) * factor)
    out = np.zeros(count + 2 * _FRAME, np.float32)
    out[:_HOP] = padded[first : first + _HOP] * window[::-1][_HOP:]
    source = first
    for place in range(0, count, _HOP):
        out[place : place + _FRAME] += padded[source : source + _FRAME] * window
        wanted = padded[source + _HOP : source + _HOP + _FRAME]
        ideal = min(first + round((place + _HOP) / factor), len(wave))
        source = _most_alike(padded, wanted, ideal, len(wave))
    return out[:count]


def _most_alike(sound: Wave, wanted: Wave, ideal: int, end: int) -> int:
    """Where near `ideal` the sound goes on most like `wanted`."""
    low, high = max(0, ideal - _SEARCH), min(end, ideal + _SEARCH)
    likeness = np.correlate(sound[low : high + len(wanted)], wanted, "valid")
    energy = np.convolve(sound[low : high + len(wanted)] ** 2, np.ones(len(wanted)), "valid")
    return low + int(np.argmax(likeness / np.sqrt(energy + 1e-6)))
