"""Turns as the policies see them: for every silence, window by window, what each would go by; and how they score.

Dead air is the time from the last sample of speech to the decision. A turn is cut into when the answer would sound
before that sample. The words are there a while after a pause began, as in the toy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.endpoint.fusion import Evidence
from epsilon.engines.endpoint.gru import STEADY_WINDOWS
from epsilon.engines.protocols import Thought
from tools.train.endpoint.data import Example
from tools.train.endpoint.hearing import PREPARE_WINDOWS, RATE_HZ, WINDOW, WINDOW_MS, pauses

WORDS_AFTER_WINDOWS = 7  # 224 ms: the pause is noticed, heard out by the ears and understood
LONGEST_MS = 2000.0
# A turn whose silence the voice detector never saw, or that ran out of recording, waits this long.
MISSED_MS = 2100.0
ANSWER_MS = (
    90.0  # from the decision to the first sound: what is decided later than so much before the end cuts in
)


@dataclass(frozen=True)
class Moment:
    """One window of silence in which the end may be decided."""

    found: Evidence
    over: bool
    dead_air_ms: float  # if decided here; negative before the end


Moments = list[Moment]


class Thoughts(NamedTuple):
    """What ears and mind make of one silence, and what its words say of the end."""

    thought: Thought
    words: float


def moments(example: Example, sound: NDArray[np.float32], thoughts: Sequence[Thoughts]) -> Moments:
    """All of a turn, in order; `thoughts` are of its silences, in order, `sound` the network's of every window."""
    found, voice_ms = Moments(), np.cumsum(example.voiced) * WINDOW_MS
    for pause, ((begin, end), (thought, words)) in enumerate(
        zip(pauses(example.heard), thoughts, strict=True)
    ):
        for window in range(begin + PREPARE_WINDOWS, end):
            silence = window - begin + 1
            now_s = (example.about["first"] + window + 1) * WINDOW / RATE_HZ
            known = silence >= WORDS_AFTER_WINDOWS
            evidence = Evidence(
                float(sound[window]),
                float(sound[max(0, window + 1 - STEADY_WINDOWS) : window + 1].mean()),
                silence * WINDOW_MS,
                float(voice_ms[window]),
                pause,
                thought if known else Thought(),
                words if known else 0.0,
            )
            dead_ms = 1000 * (now_s - example.about["end_s"])
            found.append(Moment(evidence, bool(example.over[window]), dead_ms))
    return found


@dataclass(frozen=True)
class Score:
    """Of many turns: how often cut into, and the dead air of the others."""

    cut_in: float
    mean_ms: float
    median_ms: float
    p95_ms: float


def curve(
    turns: Sequence[Moments], levels: NDArray[np.float64], by: Callable[[Moment], float]
) -> list[Score]:
    """Scores for a rising list of levels that `by` must reach; quick, because nothing is asked twice."""
    values = [np.array([by(moment) for moment in turn]) for turn in turns]
    longest = [np.array([moment.found.silence_ms >= LONGEST_MS for moment in turn], bool) for turn in turns]
    dead = [np.array([moment.dead_air_ms for moment in turn]) for turn in turns]
    scores = []
    for level in levels:
        found = []
        for value, late, dead_ms in zip(values, longest, dead, strict=True):
            hits = np.flatnonzero((value >= level) | late)
            found.append(float(dead_ms[hits[0]]) if len(hits) else MISSED_MS)
        all_ms = np.array(found)
        rest = np.maximum(0.0, all_ms[all_ms >= -ANSWER_MS])
        if len(rest) == 0:
            rest = np.array([MISSED_MS])
        cut_in = float((all_ms < -ANSWER_MS).mean())
        scores.append(
            Score(cut_in, float(rest.mean()), float(np.median(rest)), float(np.percentile(rest, 95)))
        )
    return scores


def at(scores: Sequence[Score], most: float) -> Score:
    """The quickest with at most so many cut-ins; the one with the fewest where none has."""
    able = [score for score in scores if score.cut_in <= most]
    return min(able, key=lambda score: score.mean_ms) if able else min(scores, key=lambda score: score.cut_in)
