"""Where a thread sits: its cores and priority, and how Python's own pauses are kept out of the sound."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import logging
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SWITCH_INTERVAL_S = (
    0.0005  # CPython's default of 5 ms wakes a 10 ms thread up to 20 ms late beside one busy thread
)
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4  # of <sys/mman.h>; with the last only what is used is kept
MANY = 1024  # more cores than any machine has

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
        """Put the calling thread on its cores, raise its priority; what the platform refuses is said once."""
        self.give(0)

    def give(self, thread: int) -> None:
        """The same for a thread by its number, 0 the calling one; both are read back."""
        if self.cores:
            self._pin(thread)
        if self.priority:
            self._raise_priority(thread)

    def _pin(self, thread: int) -> None:
        try:
            os.sched_setaffinity(thread, self.cores)
        except OSError as refusal:
            say_once(
                f"cores {list(self.cores)} are not to be had here ({refusal.strerror}); running on any core"
            )
            return
        given = os.sched_getaffinity(thread)
        if given != set(self.cores):  # a container's cpuset takes some of them away without a word
            say_once(f"of the cores {list(self.cores)} only {sorted(given)} are to be had here")

    def _raise_priority(self, thread: int) -> None:
        try:
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(self.priority))
        except OSError as refusal:
            say_once(f"real-time priority is not to be had here ({refusal.strerror}); running without")
            return
        given = os.sched_getparam(thread).sched_priority
        if os.sched_getscheduler(thread) != os.SCHED_FIFO or given != self.priority:
            say_once(f"real-time priority {self.priority} was asked for, and it is {given}")

    @contextlib.contextmanager
    def inner_threads(self) -> Iterator[None]:
        """The threads that come to be meanwhile, those of a model, sit here too, whatever its runtime thinks."""
        before = _threads()
        yield
        for thread in _threads() - before:
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                if self.priority or not os.sched_getaffinity(thread) <= set(self.cores or range(MANY)):
                    self.give(thread)


def _threads() -> set[int]:
    return {int(thread.name) for thread in Path("/proc/self/task").iterdir()}


@functools.cache  # the cache is what makes it once
def say_once(text: str) -> None:
    """A warning that is not repeated."""
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


def lock_memory(
    status: Path = Path("/proc/self/status"), mlockall: Callable[[int], int] | None = None
) -> bool:
    """What is in memory once stays there: nothing is read from a slow card in mid-sentence. True when it is so.

    What may not be locked without limit is not locked at all: behind a limit every later allocation would fail.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY and os.geteuid() != 0:
        say_once(
            f"only {soft >> 10} kB of memory may be locked here; running without (LimitMEMLOCK=infinity)"
        )
        return False
    call = mlockall or ctypes.CDLL(None, use_errno=True).mlockall
    if call(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        say_once(f"memory cannot be locked here ({os.strerror(ctypes.get_errno())}); running without")
        return False
    locked = next(
        (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmLck")), "0"
    )
    if locked == "0":
        say_once("memory was to be locked, and none is")
    return locked != "0"
