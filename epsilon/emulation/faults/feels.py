"""What the toy feels of itself while a fault is on, and a body that is well before and after."""

from __future__ import annotations

from collections.abc import Callable

from epsilon.clock import Clock
from epsilon.emulation.faults import Fault
from epsilon.hardware.senses import Feeling, Readings

WELL = Readings(percent=80.0, charging=False, celsius=45.0)


class Felt:
    """See epsilon.hardware.senses.Feeling."""

    def __init__(self, clock: Clock, read: Callable[[float], Readings]) -> None:
        self._clock, self._read = clock, read

    def start(self) -> None: ...

    def read(self) -> Readings:
        """How it is now."""
        return self._read(self._clock.now())


class SpoiltFeeling(Fault):
    """Only what is read is spoilt, to `bad`."""

    bad: Readings

    def feeling(self, feeling: Feeling, clock: Clock) -> Feeling:
        return Felt(clock, lambda now_s: self.bad if self.is_on(now_s) else WELL)
