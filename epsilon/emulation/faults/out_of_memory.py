"""out_of_memory: there is no memory for a model when the toy starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epsilon.clock import Clock
from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault
from epsilon.emulation.faults.engines import Which


@dataclass(frozen=True)
class Options(Which):
    """Whose model."""

    at_ms: float = setting("when it begins", 0.0, low=0, high=86_400_000)


class Broken(Fault):
    """Whoever loads it is refused."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._stage = options.stage

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage == self._stage and self.is_on(clock.now()):
            raise MemoryError(f"no memory for the model of {stage}, on purpose")
        return engine
