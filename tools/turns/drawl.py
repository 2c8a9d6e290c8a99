"""Holding on to a word: who pauses to think draws out the syllable before.

Silent pauses alone do not mark hesitation, drawn-out syllables and fillers do (Campione and Véronis, "Pauses and
hesitations in French spontaneous speech", DiSS 2005, 43-46); before a turn goes to somebody else final syllables
are lengthened less than before a pause inside it (Gravano and Hirschberg, "Turn-taking cues in task-oriented
dialogue", Computer Speech and Language 25, 2011). The synthesizers do neither, so it is done to their sound. How
often and how much is our choice.
"""

from __future__ import annotations

import random

import numpy as np

from tools.train.speech.voices import RATE_HZ
from tools.turns.timed import Wave

SHARE = 0.7  # of the pauses inside a sentence
FACTORS = 1.3, 2.2
TAIL_S = 0.22  # what is drawn out at most
_FRAME, _HOP = 480, 240  # 30 ms
_SEARCH = 130  # samples to either side: a period of 123 Hz


def drawled(piece: Wave, rng: random.Random) -> Wave:
    """The piece, its last syllable now and then drawn out."""
    if rng.random() > SHARE:
        return piece
    count = min(len(piece) // 2, round(TAIL_S * RATE_HZ))
    factor = rng.uniform(*FACTORS)
    if count < 3 * _FRAME:
        return piece
    return np.concatenate([piece[:-count], stretched(piece, len(piece) - count, factor)])


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
