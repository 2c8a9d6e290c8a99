"""Where a thread sits: its cores and priority, and how Python's own pauses are kept out of the sound."""

from __future__ import annotations

import functools
import gc
import logging
import os
import sys
from dataclasses import dataclass

SWITCH_INTERVAL_S = (
    0.0005  # CPython's default of 5 ms wakes a 10 ms thread up to 20 ms late beside one busy thread
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seat:
    """The cores and priority a thread has; no `cores` means any, `priority` 0 the normal scheduler.

    `npu_cores` are those of the neural accelerator that the thread's model has to itself; `device` is what the
    runtime mlc computes on, `cpu` or `opencl`.
    """

    cores: tuple[int, ...] = ()
    priority: int = 0
    npu_cores: tuple[int, ...] = ()
    device: str = "cpu"

    @property
    def threads(self) -> int:
        """How many threads a model that sits here may use."""
        return max(1, len(self.cores))

    def take(self) -> None:
        """Pin the calling thread, raise its priority; what the platform refuses is said once and left out."""
        if self.cores:
            self._pin()
        if self.priority:
            self._raise_priority()

    def _pin(self) -> None:
        try:
            os.sched_setaffinity(0, self.cores)
        except OSError as refusal:
            _say_once(
                f"cores {list(self.cores)} are not to be had here ({refusal.strerror}); running on any core"
            )

    def _raise_priority(self) -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(self.priority))
        except OSError as refusal:
            _say_once(f"real-time priority is not to be had here ({refusal.strerror}); running without")


@functools.cache  # the cache is what makes it once
def _say_once(text: str) -> None:
    log.warning(text)


def calm_python() -> None:
    """Shorten the interpreter's switch interval; take what is loaded out of the garbage collector's sight."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.disable()


def collect_between_turns() -> None:
    """Run the collector now, while nothing sounds."""
    gc.collect(1)
