"""heat: the chip is too hot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from epsilon.clock import Clock
from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault, When
from epsilon.emulation.faults.feels import WELL, Felt
from epsilon.hardware.senses import Feeling, Readings


@dataclass(frozen=True)
class Options(When):
    """How bad it is."""

    chip_c: float = setting("the hottest zone", 85.0, low=0, high=150)


class Broken(Fault):
    """Only what is read is spoilt."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._bad = replace(WELL, celsius=options.chip_c)

    def feeling(self, feeling: Feeling, clock: Clock) -> Feeling:
        return Felt(clock, self._read)

    def _read(self, now_s: float) -> Readings:
        return self._bad if self.is_on(now_s) else WELL
