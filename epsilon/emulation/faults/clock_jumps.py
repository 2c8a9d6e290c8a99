"""clock_jumps: the time of day leaps: somebody set it, or the board has no battery for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault, When
from epsilon.toy import Toy

_TIME_OF_DAY = time.time


@dataclass(frozen=True)
class Options(When):
    """How far."""

    by_ms: float = setting("how far it leaps", -1_700_000_000_000.0, low=-4e12, high=4e12)


class Broken(Fault):
    """What Python's time.time() says while the fault is on; the clock that only goes forward is another one."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._by_s = options.by_ms / 1000

    def follow(self, toy: Toy, now_s: float) -> None:
        if self.is_on(now_s):
            time.time = lambda: _TIME_OF_DAY() + self._by_s

    def rest(self) -> None:
        time.time = _TIME_OF_DAY
