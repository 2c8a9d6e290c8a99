"""npu_fails: the neural accelerator returns an error."""

from __future__ import annotations

from typing import Any

from epsilon.clock import Clock
from epsilon.emulation.faults import Fault
from epsilon.emulation.faults.engines import Gated
from epsilon.emulation.faults.engines import Which as Options
from epsilon.errors import InferenceError

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """What the runtime says when the driver refuses."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._stage = options.stage

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage != self._stage:
            return engine

        def gate() -> None:
            if self.is_on(clock.now()):
                raise InferenceError("the NPU did not run it, on purpose", f"engine of {stage}")

        return Gated(engine, gate)
