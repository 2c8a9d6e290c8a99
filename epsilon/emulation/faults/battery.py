"""battery: the battery is nearly empty."""

from __future__ import annotations

from dataclasses import dataclass, replace

from epsilon.config.fields import setting
from epsilon.emulation.faults import When
from epsilon.emulation.faults.feels import WELL, SpoiltFeeling


@dataclass(frozen=True)
class Options(When):
    """How bad it is."""

    left_percent: float = setting("what is left", 5.0, low=0, high=100)


class Broken(SpoiltFeeling):
    """What is left is read; it is not charged."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.bad = replace(WELL, percent=options.left_percent)
