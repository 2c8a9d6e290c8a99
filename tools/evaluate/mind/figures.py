"""How results are written down: shares with their counts, and the rows of the one table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

Figures = dict[str, Any]  # what one part found out, as JSON holds it
Item = TypeVar("Item")
QUICK_EVERY = 4


class Row(NamedTuple):
    """A line of the table: what was measured, what came out, and what it should be where that is known."""

    what: str
    value: str
    wanted: str = ""


def share(hits: Iterable[bool]) -> Figures:
    """How many of how many."""
    counted = [bool(hit) for hit in hits]
    return {
        "share": sum(counted) / len(counted) if counted else None,
        "hits": sum(counted),
        "of": len(counted),
    }


def shown(counted: Figures) -> str:
    """A share for people: `83 % (10 of 12)`."""
    if counted["share"] is None:
        return "- (0 of 0)"
    return f"{100 * counted['share']:.0f} % ({counted['hits']} of {counted['of']})"


def sample(items: Sequence[Item], quick: bool) -> list[Item]:
    """All of them, or when it is to be quick every fourth."""
    return list(items[:: QUICK_EVERY if quick else 1])


def spread(values: Sequence[float]) -> Figures:
    """Median, mean and 95th percentile of numbers."""
    ordered = sorted(values)
    last = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": statistics.median(ordered), "mean": statistics.fmean(ordered), "p95": last}


def table(rows: Sequence[Row]) -> str:
    """The rows under each other in columns."""
    every = [Row("what", "result", "wanted"), *rows]
    wide = [max(len(row[column]) for row in every) for column in range(2)]
    return "\n".join(f"{row.what:<{wide[0]}}  {row.value:<{wide[1]}}  {row.wanted}".rstrip() for row in every)
