"""raises: an engine raises what nobody has thought of."""

from __future__ import annotations

from typing import Any

from epsilon.clock import Clock
from epsilon.emulation.faults import Fault, OnPurpose
from epsilon.emulation.faults.engines import Gated
from epsilon.emulation.faults.engines import Which as Options

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """A mistake in its code."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._stage = options.stage

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage != self._stage:
            return engine

        def gate() -> None:
            if self.is_on(clock.now()):
                raise OnPurpose(f"the engine of {stage} raised on purpose")

        return Gated(engine, gate)
