"""What the toy feels of itself: how full its battery is and how hot its chip. What it cannot feel it does not miss."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from epsilon.errors import DeviceError
from epsilon.hardware.heat import Thermometer
from epsilon.hardware.power import SYSFS, Battery, Charge

Felt = TypeVar("Felt")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readings:
    """Battery and heat at one moment; None where there is nothing to be read."""

    percent: float | None = None
    charging: bool = False
    celsius: float | None = None


class Feeling(Protocol):
    """Whoever can say how the toy is."""

    def start(self) -> None:
        """From here on it is felt; before, a toy in a recording feels nothing of the machine it runs on."""

    def read(self) -> Readings | None:
        """How the toy is now; None where nobody ever needs to ask."""


class Senses:
    """A board's battery and thermal zones. One that cannot be read is told once, and left out until it can."""

    def __init__(self, battery: str | None, zones: Sequence[str], sysfs: Path = SYSFS) -> None:
        self._battery = Battery(battery, sysfs) if battery else None
        self._thermometer = Thermometer(zones, sysfs) if zones else None
        self._feels = False
        self._told: set[str] = set()

    def start(self) -> None:
        self._feels = self._battery is not None or self._thermometer is not None

    def read(self) -> Readings | None:
        if not self._feels:
            return None
        charge: Charge | None = self._try(self._battery.read) if self._battery else None
        heat: dict[str, float] | None = self._try(self._thermometer.read) if self._thermometer else None
        celsius = max(heat.values()) if heat else None
        if charge is None:
            return Readings(celsius=celsius)
        return Readings(charge.percent, charge.charging, celsius)

    def _try(self, read: Callable[[], Felt]) -> Felt | None:
        try:
            return read()
        except DeviceError as mistake:
            if str(mistake) not in self._told:
                self._told.add(str(mistake))
                log.warning("%s", mistake)
            return None
