"""A small /sys in a folder: a battery and thermal zones whose files a test writes."""

from __future__ import annotations

from pathlib import Path


class Sysfs:
    """Looks like Linux's, as far as the toy reads it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder

    def battery(
        self, name: str, percent: object, status: str = "Discharging", microvolts: int | None = 3_700_000
    ) -> None:
        """A battery as its driver shows it."""
        self.write(f"class/power_supply/{name}/capacity", percent)
        self.write(f"class/power_supply/{name}/status", status)
        if microvolts is not None:
            self.write(f"class/power_supply/{name}/voltage_now", microvolts)

    def zone(self, number: int, kind: str, celsius: float) -> None:
        """A thermal zone."""
        self.write(f"class/thermal/thermal_zone{number}/type", kind)
        self.write(f"class/thermal/thermal_zone{number}/temp", round(celsius * 1000))

    def write(self, path: str, content: object) -> None:
        """A file, with the newline that every one of them ends in."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(f"{content}\n", encoding="utf-8")
