"""Time: the wall clock that measures, and one that only moves when told, for lock-step runs."""

from __future__ import annotations

import time
from typing import Protocol

ROUNDING_S = 1e-9  # sums of seconds are not exact


class Clock(Protocol):
    """Seconds since an arbitrary start, the same for every stage and the card."""

    def now(self) -> float:
        """The time in seconds."""

    def sleep_until(self, time_s: float) -> None:
        """Return once `now()` has reached `time_s`."""


class MonotonicClock:
    """The machine's own monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, time_s: float) -> None:
        wait_s = time_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)


class ManualClock:
    """A clock that stands still until `advance` moves it; nobody sleeps on it."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        return self._now_s

    def advance_to(self, time_s: float) -> None:
        """Move to `time_s` seconds; never backwards."""
        self._now_s = max(self._now_s, time_s)

    def sleep_until(self, time_s: float) -> None:
        """Waiting is what a lock-step run replaces by moving the clock."""
        if time_s > self._now_s + ROUNDING_S:
            raise RuntimeError(f"nobody may sleep in lock-step (until {time_s:.3f} s at {self._now_s:.3f} s)")
