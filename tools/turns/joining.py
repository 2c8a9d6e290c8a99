"""Parts of a script to one speech with pauses.

A part that continues is said with a comma (a melody that goes on), or cut from the whole sentence at its last word
(no melody at all), or cut from the whole sentence with a comma there: of each some, so that no trace of the making
tells a pause from the end. What tells is what
people do with the last syllable (manners.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tools.train.speech.voices import RATE_HZ, Samples
from tools.turns.manners import SHARE, draw_manner, said
from tools.turns.scripts import Part, Script
from tools.turns.speakers import Speaker, Troupe
from tools.turns.timed import Wave

_FADE = 80  # samples
_MARKS = {"on": ",", "final": ".", "ask": "?"}
_HUSH_DB = -42.0  # below the loudest 20 ms nothing is speech
_FRAME = 160


class Speech(NamedTuple):
    """Without noise, room and silence around it."""

    samples: Wave
    pauses: tuple[tuple[int, int], ...]


class Unspeakable(Exception):
    """A synthesizer gave nothing usable."""


def speak(script: Script, who: Speaker, troupe: Troupe, rng: random.Random) -> Speech:
    """The whole script by one speaker."""
    has_manners = rng.random() < SHARE
    pieces, pauses, place = list[Wave](), list[tuple[int, int]](), 0
    for group in _sentences(script.parts):
        for part, piece in zip(group, _say(group, who, troupe, rng), strict=True):
            if has_manners:
                piece = said(piece, draw_manner(part.melody, part.pause_s > 0, rng))
            pieces.append(piece)
            place += len(piece)
            if part.pause_s:
                silence = round(part.pause_s * RATE_HZ)
                pauses.append((place, place + silence))
                pieces.append(np.zeros(silence, np.float32))
                place += silence
    return Speech(np.concatenate(pieces), tuple(pauses))


def _sentences(parts: Sequence[Part]) -> Iterator[list[Part]]:
    group = list[Part]()
    for part in parts:
        group.append(part)
        if part.melody != "on":
            yield group
            group = []


def _say(group: list[Part], who: Speaker, troupe: Troupe, rng: random.Random) -> list[Wave]:
    way = rng.random()
    if len(group) == 1 or way < 0.4:
        return [trimmed(troupe.say(part.text + _MARKS[part.melody], who).samples) for part in group]
    comma = "," if way < 0.7 else ""
    whole = " ".join(part.text + (comma if part.melody == "on" else "") for part in group)
    spoken = troupe.say(whole + _MARKS[group[-1].melody], who)
    counts = np.cumsum([len(part.text.split()) for part in group])
    if len(spoken.ends) != counts[-1]:
        raise Unspeakable(f"{whole!r}: {len(spoken.ends)} words heard of")
    places = [0, *(spoken.ends[count - 1] for count in counts[:-1]), len(spoken.samples)]
    return [trimmed(spoken.samples[a:b]) for a, b in pairwise(places)]


def trimmed(samples: Samples) -> Wave:
    """Cut to where it sounds, with soft edges."""
    wave: Wave = samples.astype(np.float32) / np.float32(32768)
    count = len(wave) // _FRAME
    if count < 5:
        raise Unspeakable(f"{len(wave)} samples")
    level = np.sqrt((wave[: count * _FRAME].reshape(count, _FRAME) ** 2).mean(1))
    loud = np.flatnonzero(level > max(1e-4, float(level.max()) * 10 ** (_HUSH_DB / 20)))
    if len(loud) < 5:
        raise Unspeakable("silence")
    wave = wave[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    wave[:_FADE] *= ramp
    wave[-_FADE:] *= ramp[::-1]
    return wave
