"""An engine behind a gate: whatever it is asked, the gate is asked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from epsilon.clock import Clock
from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault, When

ENGINES = ("vad", "asr", "llm", "tts")


@dataclass(frozen=True)
class Which(When):
    """Whose engine, from when to when."""

    stage: str = setting("whose engine", "llm", choices=ENGINES)


class Gated:
    """The engine; every call of a method goes through `gate`, which may not come back."""

    def __init__(self, engine: Any, gate: Callable[[], None]) -> None:
        self._engine, self._gate = engine, gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if not callable(found):
            return found

        def through(*given: Any, **named: Any) -> Any:
            self._gate()
            return found(*given, **named)

        return through


class SpoiltEngine(Fault):
    """Whatever the engine of one stage is asked while the fault is on, it raises."""

    def __init__(self, options: Which) -> None:
        super().__init__(options)
        self._stage = options.stage

    def failure(self, stage: str) -> Exception:
        """What it raises."""
        raise NotImplementedError

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        if stage != self._stage:
            return engine

        def gate() -> None:
            if self.is_on(clock.now()):
                raise self.failure(stage)

        return Gated(engine, gate)
