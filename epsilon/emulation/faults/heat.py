"""heat: the chip is too hot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from epsilon.config.fields import setting
from epsilon.emulation.faults import When
from epsilon.emulation.faults.feels import WELL, SpoiltFeeling


@dataclass(frozen=True)
class Options(When):
    """How bad it is."""

    chip_c: float = setting("the hottest zone", 85.0, low=0, high=150)


class Broken(SpoiltFeeling):
    """The hottest zone is read."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.bad = replace(WELL, celsius=options.chip_c)
