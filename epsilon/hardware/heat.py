"""How hot the chip is, as Linux's thermal zones show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from epsilon.errors import DeviceError, nearest
from epsilon.hardware.power import SYSFS, read_number, read_text

ZONES = Path("class/thermal")


class Thermometer:
    """Some thermal zones by their type. `sysfs` is another folder where there are no such zones: in tests."""

    def __init__(self, zones: Sequence[str], sysfs: Path = SYSFS) -> None:
        self._wanted, self._folder = tuple(zones), sysfs / ZONES
        self._found: dict[str, Path] = {}

    def read(self) -> dict[str, float]:
        """Degrees Celsius by zone. DeviceError when a zone is not there or does not tell."""
        if len(self._found) < len(set(self._wanted)):
            self._found = self._find()
        return {zone: read_number(path / "temp") / 1000 for zone, path in self._found.items()}

    def _find(self) -> dict[str, Path]:
        known = {read_text(path / "type"): path for path in sorted(self._folder.glob("thermal_zone*"))}
        for zone in self._wanted:
            if zone not in known:
                raise DeviceError(
                    f"no thermal zone '{zone}'{nearest(zone, known)}", str(self._folder), "see `soc`"
                )
        return {zone: known[zone] for zone in self._wanted}
