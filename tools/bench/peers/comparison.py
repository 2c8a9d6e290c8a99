"""Interleaved runs of several workers, their times, and how times relate to one another round by round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tools.bench import print_table
from tools.bench.peers.workers import Worker, WorkerDied


@dataclass
class Subject:
    """One row: a task of a worker, and what came of it."""

    name: str
    worker: Worker | None
    task: str
    failure: str = ""
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    text: str = ""

    def run(self, given: Path) -> None:
        """Do it once more, unless it has failed."""
        if self.worker is None or self.failure:
            return
        try:
            answer = self.worker.ask(self.task, given)
        except WorkerDied as error:
            self.failure = f"died: {error}"
            return
        self.cpu_ms.append(1000 * answer.cpu_s)
        self.wall_ms.append(1000 * answer.wall_s)
        self.text = answer.text

    @property
    def median_ms(self) -> float:
        """CPU time."""
        return statistics.median(self.cpu_ms)

    @property
    def median_wall_ms(self) -> float:
        """Time by the clock."""
        return statistics.median(self.wall_ms)


def interleaved(subjects: Sequence[Subject], given: Path, rounds: int) -> None:
    """Every subject once a round, so that what else the machine does falls on all of them."""
    for _ in range(rounds):
        for subject in subjects:
            subject.run(given)


def ratios(one: Subject, other: Subject, by: Literal["cpu_ms", "wall_ms"] = "cpu_ms") -> list[float]:
    """How many times the other's time each round took; none where one of them was not measured."""
    if one.failure or other.failure:
        return []
    pairs = zip(getattr(one, by), getattr(other, by), strict=True)
    return [mine / theirs for mine, theirs in pairs]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median and quartiles."""
    if not values:
        return "-"
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def print_times(title: str, subjects: Sequence[Subject], base: Subject, words: str) -> None:
    """A row for each subject; `base` is what the others are compared with, `words` what all should say."""
    rows: list[list[object]] = []
    for subject in subjects:
        if subject.failure or not subject.cpu_ms:
            rows.append([subject.name, None, None, "-", f"not measured: {subject.failure}"])
            continue
        said = subject.text.lower().strip()
        remark = "" if not said or said == words else f"other words: {subject.text[:40]}"
        rows.append(
            [
                subject.name,
                subject.median_ms,
                min(subject.cpu_ms),
                spread(ratios(subject, base)),
                remark,
            ]
        )
    print(f"\n{title}")
    print_table(("engine", "CPU ms", "least", f"times {base.name}", "remark"), rows)


@dataclass(frozen=True)
class Goal:
    """A promise and what was measured: one value a round."""

    what: str
    values: Sequence[float]
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """By the median."""
        middle = statistics.median(self.values)
        return middle >= self.limit if self.at_least else middle <= self.limit

    def __str__(self) -> str:
        wanted = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        if not self.values:
            return f"{self.what}: {wanted}, not measured"
        verdict = "reached" if self.reached else "NOT reached"
        return f"{self.what}: {spread(self.values, 3)}, {wanted}: {verdict}"
