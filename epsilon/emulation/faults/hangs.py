"""hangs: an engine does not come back from a call."""

from __future__ import annotations

from typing import Any

from epsilon.clock import Clock
from epsilon.emulation.faults import Fault, Hanging
from epsilon.emulation.faults.engines import Gated
from epsilon.emulation.faults.engines import Which as Options

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """It works for ever."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._stage = options.stage

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage != self._stage:
            return engine

        def gate() -> None:
            if self.is_on(clock.now()):
                raise Hanging(f"the engine of {stage} hangs on purpose")

        return Gated(engine, gate)
