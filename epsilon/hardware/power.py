"""The battery, as Linux's power_supply class shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from epsilon.errors import DeviceError, nearest

SYSFS = Path("/sys")
SUPPLIES = Path("class/power_supply")
CHARGING = ("Charging", "Full", "Not charging")  # all three: something else feeds the toy


@dataclass(frozen=True)
class Charge:
    """How full a battery is, and whether it is being filled."""

    percent: float
    charging: bool
    voltage_v: float | None = None


class Battery:
    """One battery by its name. `sysfs` is another folder where there is no such battery: in tests."""

    def __init__(self, name: str, sysfs: Path = SYSFS) -> None:
        self.name, self._supplies = name, sysfs / SUPPLIES

    def read(self) -> Charge:
        """How it is now. DeviceError when there is no such battery, or it does not tell."""
        folder = self._supplies / self.name
        if not folder.is_dir():
            known = [path.name for path in self._supplies.glob("*")]
            raise DeviceError(
                f"no battery '{self.name}'{nearest(self.name, known)}", str(self._supplies), "see `body`"
            )
        percent = read_number(folder / "capacity")
        voltage = folder / "voltage_now"
        volts = read_number(voltage) / 1e6 if voltage.is_file() else None
        return Charge(min(max(percent, 0.0), 100.0), self._is_fed(folder), volts)

    def _is_fed(self, folder: Path) -> bool:
        return read_text(folder / "status") in CHARGING


def read_text(path: Path) -> str:
    """What a file of sysfs says. DeviceError when it does not."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as refusal:
        raise DeviceError(f"cannot be read: {refusal}", str(path)) from refusal


def read_number(path: Path) -> float:
    """The same, a number."""
    text = read_text(path)
    try:
        return float(int(text))
    except ValueError as mistake:
        raise DeviceError(f"expected a number, found {text!r}", str(path)) from mistake
