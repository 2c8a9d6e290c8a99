"""stalled: everything stands still for a moment, but for the sound card: somebody holds the interpreter."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from epsilon.clock import ManualClock
from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault, When
from epsilon.toy import Toy


@dataclass(frozen=True)
class Options(When):
    """How long."""

    for_ms: float = setting("how long it lasts", 200.0, low=0, high=10_000)


class Broken(Fault):
    """In lock-step the clock leaps; in real time a C function sleeps and does not let go of the interpreter."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._over = False

    def follow(self, toy: Toy, now_s: float) -> None:
        if self._over or now_s < self.begins_s:
            return
        self._over = True
        clock, lasts_s = toy.stages[0].clock, self.ends_s - self.begins_s
        if isinstance(clock, ManualClock):
            clock.advance_to(now_s + lasts_s)
        else:
            ctypes.PyDLL(None).usleep(round(lasts_s * 1e6))
