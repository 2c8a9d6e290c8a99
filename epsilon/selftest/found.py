"""What an item of the self-test found."""

from __future__ import annotations

from typing import NamedTuple

PASS, FAIL, SKIP = "pass", "fail", "skip"
Figure = float | int | str | bool | list[str]


class Found(NamedTuple):
    """A verdict, a sentence for people, and the figures behind it with their units in their names."""

    verdict: str
    what: str
    figures: dict[str, Figure]


def passed(what: str, **figures: Figure) -> Found:
    """All is well."""
    return Found(PASS, what, figures)


def failed(what: str, **figures: Figure) -> Found:
    """Something is not as it must be."""
    return Found(FAIL, what, figures)


def skipped(what: str) -> Found:
    """The board has no such thing."""
    return Found(SKIP, what, {})


def judged(faults: list[str], well: str, **figures: Figure) -> Found:
    """Passed where there is no fault, else failed with all of them."""
    return failed("; ".join(faults), **figures) if faults else passed(well, **figures)
