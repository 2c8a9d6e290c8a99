"""A take and its repetition, message by message: what was different, and what only drifted as numbers do."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from epsilon.takes.written import Json

RATE_HZ = 16_000
# Numbers that processors round differently; what follows from them may move a little.
DRIFTING = {
    "start_at": "positions (ms)",
    "end_at": "positions (ms)",
    "at": "positions (ms)",
    "time_s": "times (ms)",
    "word_ends": "ends of words (ms)",
    "frames": "lengths of sound (ms)",
    "level_db": "levels of sound (dB)",
    "finished": "probabilities (%)",
}
BOUNDS = {
    "start_at": 4000,
    "end_at": 4000,
    "at": 4000,
    "time_s": 0.25,
    "finished": 0.25,
}  # further apart is no drift
SCALES = {"time_s": 1000.0, "level_db": 1.0, "finished": 100.0}
SHA, SOUND, NEWS, TEXT = "sha", "Sound", "News", "text"
MEASURED_NEWS = frozenset(("gap", "goes on", "discarded"))  # their text is a number
# What the toy or its user did; in which order that came is the same on every machine.
DECISIONS = frozenset(
    (
        "speech",
        "goes on",
        "end of turn",
        "words",
        "silent",
        "ignored",
        "ducks",
        "resumes",
        "heard",
        "cut",
        "says",
    )
)


@dataclass(frozen=True)
class Difference:
    """The first place at which two runs part: a line of each, None where one of them has no more."""

    taken: Json | None
    found: Json | None
    keys: tuple[str, ...] = ()  # in which fields they differ
    before: tuple[Json, ...] = ()  # the last lines that agreed

    @property
    def at_s(self) -> float:
        """Where, in seconds since the start of the sound."""
        line = self.taken or self.found or {}
        return float(line.get("at", 0)) / RATE_HZ


@dataclass
class Drift:
    """How often and how far a kind of number differs."""

    count: int = 0
    most: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What a comparison found."""

    count: int
    """Messages of the take."""
    difference: Difference | None = None
    drifts: dict[str, Drift] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Every message is the same to the bit."""
        return self.difference is None and not self.drifts


def compare(taken: Sequence[Json], found: Sequence[Json], by_ring: bool) -> Verdict:
    """Compare the message lines of two runs: to the bit, and if that fails for words, decisions and order.

    With `by_ring` the order of messages in different rings does not count, as it was that of threads.
    """
    if _first(taken, found, by_ring, exactly=True) is None:
        return Verdict(len(taken))
    parts = (
        _first(_firm(taken), _firm(found), by_ring=True, exactly=False),
        _first(_decisions(taken), _decisions(found), by_ring, exactly=False),
    )
    differences = [part for part in parts if part is not None]
    earliest = min(differences, key=lambda one: one.at_s) if differences else None
    return Verdict(len(taken), earliest, _drifts(taken, found))


def _first(taken: Sequence[Json], found: Sequence[Json], by_ring: bool, exactly: bool) -> Difference | None:
    """The earliest difference."""
    if not by_ring:
        return _first_in(taken, found, exactly)
    ours, theirs = _rings(taken), _rings(found)
    parts = (
        _first_in(ours.get(ring, []), theirs.get(ring, []), exactly) for ring in sorted({*ours, *theirs})
    )
    differences = [part for part in parts if part is not None]
    return min(differences, key=lambda one: one.at_s) if differences else None


def _first_in(taken: Sequence[Json], found: Sequence[Json], exactly: bool) -> Difference | None:
    for place, (ours, theirs) in enumerate(zip_longest(taken, found)):
        before = tuple(taken[max(0, place - 3) : place])
        if ours is None or theirs is None:
            return Difference(ours, theirs, before=before)
        keys = (
            ("ring",)
            if ours["ring"] != theirs["ring"]
            else _keys(ours["message"], theirs["message"], exactly)
        )
        if keys:
            return Difference(ours, theirs, tuple(keys), before)
    return None


def _keys(ours: Json, theirs: Json, exactly: bool) -> tuple[str, ...]:
    """The fields in which two messages differ."""
    if ours == theirs:
        return ()
    differing = [key for key in {**ours, **theirs} if not _same(key, ours.get(key), theirs.get(key), exactly)]
    measured = ours.get("kind") == NEWS and ours.get("what") in MEASURED_NEWS and not exactly
    return tuple(key for key in differing if not (measured and key == TEXT))


def _same(key: str, ours: Any, theirs: Any, exactly: bool) -> bool:
    if ours == theirs:
        return True
    if exactly:
        return False
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return True
    if key not in DRIFTING or (ours is None) != (theirs is None):
        return False
    return max(map(abs, _minus(ours, theirs)), default=0.0) <= BOUNDS.get(key, math.inf)


def _firm(lines: Iterable[Json]) -> list[Json]:
    """Without what may come in other pieces elsewhere: sound, and the silences between its phrases."""
    return [line for line in lines if not _is_sound(line) and line["message"].get("what") != "gap"]


def _decisions(lines: Iterable[Json]) -> list[Json]:
    return [
        line for line in lines if line["message"]["kind"] == NEWS and line["message"].get("what") in DECISIONS
    ]


def _is_sound(line: Json) -> bool:
    return bool(line["message"]["kind"] == SOUND)


def _rings(lines: Iterable[Json]) -> dict[str, list[Json]]:
    rings: dict[str, list[Json]] = defaultdict(list)
    for line in lines:
        rings[line["ring"]].append(line)
    return rings


def _drifts(taken: Sequence[Json], found: Sequence[Json]) -> dict[str, Drift]:
    """How far numbers are apart in the messages that both have."""
    drifts: dict[str, Drift] = defaultdict(Drift)
    ours, theirs = _rings(_firm(taken)), _rings(_firm(found))
    for ring, lines in ours.items():
        for one, other in zip(lines, theirs.get(ring, []), strict=False):
            for key, apart in _apart(one["message"], other["message"]):
                _count(drifts, DRIFTING[key], apart * SCALES.get(key, 1000 / RATE_HZ))
    _drifts_of_sound(taken, found, drifts)
    return dict(drifts)


def _apart(ours: Any, theirs: Any) -> Iterator[tuple[str, float]]:
    """The numbers that differ, by their names, and by how much."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return
    for key, value in ours.items():
        other = theirs.get(key)
        if isinstance(value, dict):
            yield from _apart(value, other)
        elif key in DRIFTING and value != other:
            yield key, max(map(abs, _minus(value, other)), default=0.0)


def _minus(ours: Any, theirs: Any) -> list[float]:
    pairs = (
        zip(ours, theirs, strict=False)
        if isinstance(ours, list) and isinstance(theirs, list)
        else [(ours, theirs)]
    )
    return [a - b for a, b in pairs if isinstance(a, int | float) and isinstance(b, int | float)]


def _drifts_of_sound(taken: Sequence[Json], found: Sequence[Json], drifts: dict[str, Drift]) -> None:
    """By phrases: each may have been made in other pieces."""
    ours, theirs = _phrases(taken), _phrases(found)
    for key, sounds in ours.items():
        others = theirs.get(key, [])
        if [sound[SHA] for sound in sounds] != [sound[SHA] for sound in others]:
            frames = sum(sound["frames"] for sound in sounds) - sum(sound["frames"] for sound in others)
            _count(drifts, "phrases whose sound differs, in length (ms)", abs(frames) * 1000 / RATE_HZ)
            for one, other in zip(sounds, others, strict=False):
                if one["level_db"] != other["level_db"]:
                    _count(drifts, DRIFTING["level_db"], abs(one["level_db"] - other["level_db"]))


def _phrases(lines: Sequence[Json]) -> dict[tuple[Any, ...], list[Json]]:
    phrases: dict[tuple[Any, ...], list[Json]] = defaultdict(list)
    for line in filter(_is_sound, lines):
        message = line["message"]
        phrases[line["ring"], *message["mark"], message["index"]].append(message["samples"])
    return phrases


def _count(drifts: dict[str, Drift], what: str, apart: float) -> None:
    drifts[what].count += 1
    drifts[what].most = max(drifts[what].most, apart)
