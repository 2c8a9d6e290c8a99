"""What hours of soaking came to: nothing may add up, nothing wear out, nobody go round in circles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from epsilon.emulation.soak import Hour

SLOPE_MB_PER_H = 1.0
REPEATS = 3  # the same reply so often in a row, whatever is said, is a circle
WARM_UP_SHARE = 0.1  # of the hours: caches fill
SLOWER = 1.1  # the p95 of TIFU in the last quarter over that in the first
HEAD = "  hour  turns  replies  p95 TIFU  cut in  repeats  lost   memory  threads  files"


def line(number: int, hour: Hour) -> str:
    """An hour as a row under HEAD."""
    return (
        f"{number:6}  {hour.turns:5}  {hour.replies:7}  {hour.p95_ms:5.0f} ms  {hour.cut_ins:6}"
        f"  {hour.longest_repeat:7}  {hour.lost:4}  {hour.rss_mb:4.0f} MB  {hour.threads:7}  {hour.files:5}"
    )


def slope_mb_per_h(hours: Sequence[Hour]) -> float:
    """Of the memory after the warm-up, by least squares; 0 for fewer than three hours."""
    settled = [hour.rss_mb for hour in hours[max(1, round(WARM_UP_SHARE * len(hours))) :]]
    if len(settled) < 3:
        return 0.0
    return float(np.polyfit(np.arange(len(settled)), settled, 1)[0])


def faults(hours: Sequence[Hour]) -> Iterator[str]:
    """What is wrong, a sentence each."""
    slope = slope_mb_per_h(hours)
    if slope >= SLOPE_MB_PER_H:
        yield f"memory grows by {slope:.2f} MB an hour"
    first, last = hours[0], hours[-1]
    for name in ("threads", "files"):
        if getattr(last, name) > getattr(first, name):
            yield f"{name}: {getattr(first, name)} after the first hour, {getattr(last, name)} at the end"
    worst = max(hour.longest_repeat for hour in hours)
    if worst >= REPEATS:
        yield f"the same reply {worst} times in a row"
    if last.lost:
        yield f"{last.lost} blocks of sound were lost or late"
    if not any(hour.replies for hour in hours):
        yield "nothing was answered"
    quarter = max(1, len(hours) // 4)
    early, late = _p95(hours[:quarter]), _p95(hours[-quarter:])
    if late > SLOWER * early:
        yield f"p95 of TIFU: {early:.0f} ms at first, {late:.0f} ms at the end"


def _p95(hours: Sequence[Hour]) -> float:
    values = [value for hour in hours for value in hour.tifu_ms]
    return float(np.percentile(values, 95)) if values else 0.0
