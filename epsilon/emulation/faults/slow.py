"""slow: the engine of one stage takes so many times as long as it does on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epsilon.clock import Clock, ManualClock
from epsilon.config.board import load_board
from epsilon.config.fields import setting
from epsilon.emulation.contention import Call
from epsilon.emulation.costs import MEASURED_ON, cost_of
from epsilon.emulation.faults import Fault
from epsilon.emulation.faults.engines import Which
from epsilon.emulation.paced_engines import PACED, Bill
from epsilon.parts import seat_of


@dataclass(frozen=True)
class Options(Which):
    """How slow."""

    times: float = setting("of the host's time, by its cost table", 10.0, low=1, high=10_000)


class Broken(Fault):
    """While it computes everything else stands still, as under a lock: the clock of the toy leaps."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._stage, self._times = options.stage, options.times

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage != self._stage or not isinstance(clock, ManualClock):
            return engine
        board = load_board(MEASURED_ON)

        def spend(call: Call) -> None:
            now_s = clock.now()
            if self.is_on(now_s):
                clock.advance_to(now_s + self._times * call.work_ms / 1000)

        return PACED[stage](engine, Bill(cost_of(board, stage), seat_of(board, stage), spend))
