"""Battery: is it there, and does it have a voltage that a battery can have?"""

from __future__ import annotations

from epsilon.hardware.power import Battery
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Figure, Found, judged, skipped

ORDER, SPOKEN = 70, "battery"
LEAST_V, MOST_V = 2.5, 30.0  # an empty cell; more than any toy has in series


def check(bench: Bench) -> Found:
    """Read it once."""
    name = bench.board.body.battery
    if name is None:
        return skipped("this board has no battery")
    charge = Battery(name, bench.sysfs).read()
    faults: list[str] = []
    figures: dict[str, Figure] = {"percent": charge.percent, "charging": charge.charging}
    if charge.voltage_v is not None:
        figures["voltage_v"] = round(charge.voltage_v, 2)
        if not LEAST_V <= charge.voltage_v <= MOST_V:
            faults.append(f"it has {charge.voltage_v:.2f} V")
    filled = "is being filled" if charge.charging else "is not being filled"
    return judged(faults, f"it has {charge.percent:.0f} % and {filled}", **figures)
