"""Heat: does every thermal zone of the chip answer, and is none of them hot?"""

from __future__ import annotations

from epsilon.hardware.heat import Thermometer
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, judged, skipped

ORDER, SPOKEN = 80, "heat"  # last: by then the chip has worked
COLDEST_C = -20.0  # a sensor that is not connected says less


def check(bench: Bench) -> Found:
    """Read all of them once."""
    zones, hot_c = bench.board.soc.zones, bench.board.ladder.hot_c
    if not zones:
        return skipped("this board names no thermal zone")
    found = Thermometer(zones, bench.sysfs).read()
    faults = [
        f"{zone} has {degrees:.0f} °C, {COLDEST_C:.0f} to {hot_c:.0f} °C is right"
        for zone, degrees in found.items()
        if not COLDEST_C < degrees < hot_c
    ]
    figures = {f"{zone}_c": round(degrees, 1) for zone, degrees in found.items()}
    return judged(faults, f"the hottest has {max(found.values()):.0f} °C", **figures)
