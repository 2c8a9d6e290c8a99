"""The melody of sentences: do questions rise, lists stay up, exclamations reach further?

Everything is in semitones of the sound's own F0 (pitch.py), without effects, one phrase a sentence. An `ending` is the
median of the last 80 ms with a pitch above the median of the whole sentence: about -3 where a statement comes down.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from epsilon.engines.protocols import Delivery
from epsilon.ring import Samples
from tools.evaluate.voice import HOP_SAMPLES, RATE_HZ, pitch, timing
from tools.evaluate.voice.speakers import Speaker

SENTENCES = Path(__file__).with_name("prosody.yaml")
LAST_FRAMES = 8  # 80 ms with a pitch
REACH_FRAMES = 25  # so far before a comma they are looked for
RISES = 2.0  # semitones that a question must end above its statement to count as one
LOW, HIGH = 5, 95  # percentiles between which the range of a melody lies

Figures = dict[str, Any]
Say = Callable[[str], Samples]


def load() -> dict[str, Any]:
    """The sentences by kind."""
    return dict(yaml.safe_load(SENTENCES.read_text(encoding="utf-8")))


def ending(samples: Samples) -> float | None:
    """Semitones of the last voiced 80 ms above the median; None where too little has a pitch."""
    return _above(pitch.track(samples), None)


def span(samples: Samples) -> float | None:
    """How many semitones the middle nine tenths of the melody reach over; None where too little has a pitch."""
    tones = _tones(pitch.track(samples))
    if len(tones) < LAST_FRAMES:
        return None
    low, high = np.percentile(tones, (LOW, HIGH))
    return float(high - low)


def pairs(say: Say, rows: Sequence[Sequence[str]], measured: Callable[[Samples], float | None]) -> Figures:
    """Medians of a measure over both halves of all pairs, and of the difference."""
    found = [tuple(measured(say(text)) for text in row) for row in rows]
    known = [(one, other) for one, other in found if one is not None and other is not None]
    return {
        "plain": _median([one for one, _ in known]),
        "marked": _median([other for _, other in known]),
        "difference": _median([other - one for one, other in known]),
        "differ": [sum(other - one >= RISES for one, other in known), len(known)],
    }


def teachers(say: Say) -> Figures:
    """What can be said of any sound: questions, exclamations, and how statements and lists end."""
    rows = load()
    return {
        "questions": pairs(say, rows["questions"], ending),
        "exclamations": pairs(say, rows["exclamations"], span),
        "wh_questions_end": _median([ending(say(text)) for text in rows["wh_questions"]]),
        "lists_end": _median([ending(say(text)) for text in rows["lists"]]),
    }


def measure(speaker: Speaker) -> Figures:
    """The same of a speaker, and where its commas and its unfinished sentences end."""
    rows = load()
    commas = [height for text in rows["lists"] for height in before_commas(speaker, text)]
    found = teachers(lambda text: speaker.say(text).dry)
    goes_on = [
        (ending(_phrase(speaker, text, False)), ending(_phrase(speaker, text, True)))
        for text in rows["going_on"]
    ]
    known = [(alone, on) for alone, on in goes_on if alone is not None and on is not None]
    return found | {
        "commas": _median(commas),
        "going_on": {
            "alone": _median([alone for alone, _ in known]),
            "goes_on": _median([on for _, on in known]),
        },
    }


def before_commas(speaker: Speaker, text: str) -> list[float]:
    """The ending of what stands before each comma of a sentence; empty where the voice does not tell its times."""
    said = speaker.say(text)
    if len(said.ends) != len(said.symbols):
        return []
    f0_hz = pitch.track(said.dry)
    starts = timing.comma_starts(said.symbols, said.ends)
    heights = [_above(f0_hz, round(start / HOP_SAMPLES)) for start in starts]
    return [height for height in heights if height is not None]


def _phrase(speaker: Speaker, text: str, more: bool) -> Samples:
    """A phrase as the voice says it when its sentence goes on, or does not."""
    settings = speaker.settings
    delivery = Delivery(speaker.voice.styles[settings.style], settings.speed, settings.pitch)
    chunks = list(speaker.voice.speak(speaker.voice.spell(text, more).symbols, delivery))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert all(chunk.sample_rate_hz == RATE_HZ for chunk in chunks)
    return samples


def _above(f0_hz: pitch.Floats, end: int | None) -> float | None:
    """The median of the last voiced frames before `end` above that of all frames."""
    everything = _tones(f0_hz)
    near = f0_hz[:end] if end is None else f0_hz[max(0, end - REACH_FRAMES) : end]
    last = _tones(near)[-LAST_FRAMES:]
    if len(everything) < 2 * LAST_FRAMES or len(last) < LAST_FRAMES // 2:
        return None
    return float(np.median(last) - np.median(everything))


def _tones(f0_hz: pitch.Floats) -> pitch.Floats:
    return pitch.semitones(f0_hz[f0_hz > 0])


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None
