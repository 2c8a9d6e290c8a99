"""A run held against an earlier one: what got worse, and whether that is more than noise.

Lock-step runs are alike to the bit, so that every difference of a single recording is real there; real-time ones
differ by themselves, so that a recording's time counts as worse only beyond three times the usual difference. Means
are judged by the bootstrap over recordings (Efron 1979): worse where 95 % of the resampled means are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from epsilon.emulation.folder.job import Row

RESAMPLED, SURE = 2_000, 0.95
BEYOND = 3 * 1.4826  # three standard deviations, from the median absolute deviation
LEAST_MS = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """Something of a row of which less is better."""

    name: str
    unit: str
    of: Callable[[Row], float | None]


MEASURES = (
    Measure("WER", "%", lambda row: row.wer),
    Measure("TIFU", "ms", lambda row: row.tifu_ms),
    Measure("cut-ins", "", lambda row: float(row.cut_ins)),
    Measure("lost", "", lambda row: float(row.lost)),
    Measure("errors", "", lambda row: float(bool(row.error))),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A measure's mean over the recordings that both runs have, before and now; `worse` beyond noise."""

    measure: Measure
    before: float
    now: float
    worse: bool
    better: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means, what got worse by recording, and which recordings only one of the runs has."""

    changes: tuple[Change, ...]
    worse: dict[str, tuple[str, ...]]
    only_before: tuple[str, ...]
    only_now: tuple[str, ...]

    @property
    def got_worse(self) -> bool:
        """Whether there is anything to look into."""
        return bool(self.worse) or any(change.worse for change in self.changes)


def compare(before: Sequence[Row], now: Sequence[Row]) -> Comparison:
    """The later run against the earlier one, recording by recording."""
    earlier, later = ({row.name: row for row in rows} for rows in (before, now))
    pairs = [(earlier[name], later[name]) for name in sorted(earlier.keys() & later.keys())]
    changes: list[Change] = []
    worse: dict[str, list[str]] = {}
    for measure in MEASURES:
        known = _known(measure, pairs)
        if not known:
            continue
        changes.append(_change(measure, [old for _, old, _ in known], [new for _, _, new in known]))
        for name, text in _worse_ones(measure, known):
            worse.setdefault(name, []).append(text)
    return Comparison(
        tuple(changes),
        {name: tuple(texts) for name, texts in worse.items()},
        tuple(sorted(earlier.keys() - later.keys())),
        tuple(sorted(later.keys() - earlier.keys())),
    )


def _known(measure: Measure, pairs: Sequence[tuple[Row, Row]]) -> list[tuple[str, float, float]]:
    both = [(old.name, measure.of(old), measure.of(new)) for old, new in pairs]
    return [(name, old, new) for name, old, new in both if old is not None and new is not None]


def _change(measure: Measure, before: Sequence[float], now: Sequence[float]) -> Change:
    differences = np.subtract(now, before)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(differences), size=(RESAMPLED, len(differences)))
    means = differences[drawn].mean(axis=1)
    return Change(
        measure,
        float(np.mean(before)),
        float(np.mean(now)),
        worse=bool((means > 0).mean() >= SURE),
        better=bool((means < 0).mean() >= SURE),
    )


def _worse_ones(measure: Measure, known: Sequence[tuple[str, float, float]]) -> list[tuple[str, str]]:
    differences = np.array([new - old for _, old, new in known])
    usual = float(np.median(np.abs(differences - np.median(differences))))
    least = max(LEAST_MS, BEYOND * usual) if measure.unit == "ms" else 0.0
    return [
        (name, f"{measure.name} {old:.4g} → {new:.4g} {measure.unit}".rstrip())
        for (name, old, new), difference in zip(known, differences, strict=True)
        if difference > least
    ]
