"""Ways to find the end of a turn, asked offline of what was known in each window; and what each would have cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from epsilon.engines.endpoint.silence import SilenceRule
from epsilon.engines.protocols import Patience
from tools.bench.turns.playing import Glance

LONGEST_MS = 2_000.0
Policy = Callable[[Glance, float], bool]  # is the turn over, at this setting?


@dataclass(frozen=True)
class Point:
    """What a setting costs: the share of turns decided inside of them, and the wait at the end of the others, in ms.

    A turn that is never decided counts as one that waits for ever.
    """

    setting: float
    cut_in: float
    median_ms: float
    mean_ms: float


def timer(glance: Glance, silence_ms: float) -> bool:
    """A plain silence."""
    return glance.silence_ms >= silence_ms


def sound(glance: Glance, log_odds: float) -> bool:
    """The network alone, or the longest silence."""
    return glance.sound >= log_odds or glance.silence_ms >= LONGEST_MS


def words(glance: Glance, usual_ms: float) -> bool:
    """The silence rule, which goes by the mind's probability and the last word."""
    rule = SilenceRule(Patience(usual_ms, max(LONGEST_MS, usual_ms)))
    return glance.silence_ms >= rule.wait_ms(glance.silence_ms, glance.thought)


def together(glance: Glance, more: float) -> bool:
    """What the engine gru does, with a limit that is so much higher."""
    return glance.margin >= more or glance.silence_ms >= LONGEST_MS


def settings() -> dict[str, Sequence[float]]:
    """What is tried of each."""
    return {
        "silence timer": [float(ms) for ms in range(100, 2001, 50)],
        "sound alone": [float(odds) for odds in np.linspace(-4, 6, 61)],
        "words alone": [float(ms) for ms in range(100, 2001, 50)],
        "all together": [float(odds) for odds in np.linspace(-5, 5, 61)],
    }


def curve(turns: Sequence[Sequence[Glance]], policy: Policy, tried: Sequence[float]) -> list[Point]:
    """A point for each setting."""
    return [_point(turns, policy, setting) for setting in tried]


def _point(turns: Sequence[Sequence[Glance]], policy: Policy, setting: float) -> Point:
    ends = [next((glance.at_ms for glance in turn if policy(glance, setting)), None) for turn in turns]
    waits = [float("inf") if end is None else end for end in ends if end is None or end >= 0]
    cut_in = 1 - len(waits) / max(1, len(ends))
    if not waits:
        return Point(setting, 1.0, float("inf"), float("inf"))
    return Point(setting, cut_in, float(np.median(waits)), float(np.mean(waits)))


def at_cut_ins(points: Sequence[Point], most: float) -> Point | None:
    """The shortest median wait at no more than so many cut-ins; None where no setting is so careful."""
    careful = [point for point in points if point.cut_in <= most]
    return min(careful, key=lambda point: point.median_ms, default=None)
