"""Light: do its pins give every colour? Whoever looks on sees red, green, blue and white, one after another."""

from __future__ import annotations

from epsilon.hardware import DARK, Colour
from epsilon.parts import load_hardware
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, judged, skipped

ORDER, SPOKEN = 45, "light"
COLOURS = {
    "red": Colour(1, 0, 0),
    "green": Colour(0, 1, 0),
    "blue": Colour(0, 0, 1),
    "white": Colour(1, 1, 1),
}
LOOK_S = 0.5  # each, for an eye or a camera
EXACT = 0.05  # what is read back may be rounded to a step of the pulse


def check(bench: Bench) -> Found:
    """Set each colour and read it back from the pins."""
    if bench.board.body.light is None:
        return skipped("this board has no light")
    hardware = load_hardware(bench.board, bench.hands)
    hardware.start()
    try:
        faults = []
        for name, wanted in COLOURS.items():
            hardware.light.show(wanted)
            bench.clock.sleep_until(bench.clock.now() + LOOK_S)
            shown = hardware.light.shown()
            if max(abs(one - other) for one, other in zip(shown, wanted, strict=True)) > EXACT:
                faults.append(
                    f"{name} is asked for and the pins give {tuple(round(part, 2) for part in shown)}"
                )
        hardware.light.show(DARK)
    finally:
        hardware.stop()
    return judged(faults, "every colour was shown", colours=list(COLOURS))
