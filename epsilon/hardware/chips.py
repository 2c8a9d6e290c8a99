"""GPIO chips by their label: gpiozero's pins on any board, not the Raspberry Pi's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from epsilon.config.pins import LINE
from epsilon.errors import DeviceError, nearest

DEVICES = Path("/dev")


class Lines:
    """Stands where gpiozero knows a Raspberry Pi's header: every line of a chip is a pin."""

    def __init__(self, label: str, count: int) -> None:
        self._label, self._count = label, count

    def find_pin(self, name: Any) -> Iterator[tuple[None, Any]]:
        """The pin of that name, as gpiozero asks for it; nothing where the chip has no such line."""
        from gpiozero import PinInfo

        number = name if isinstance(name, int) else _line(name)
        if number is not None and 0 <= number < self._count:
            names = frozenset((f"GPIO{number}", f"{self._label}:{number}"))  # lines of two chips are two pins
            yield None, PinInfo(number, f"GPIO{number}", names, "", number + 1, 1, frozenset(("gpio",)))


def _line(name: str) -> int | None:
    found = LINE.fullmatch(name)
    return int(found[1]) if found else None


def open_chip(label: str) -> Any:
    """gpiozero's pins of the chip with that label, through lgpio. DeviceError when there is none."""
    try:
        import lgpio  # for boards with pins only
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as missing:
        raise DeviceError(
            f"GPIO chip '{label}' needs lgpio", hint="pip install lgpio, or `hardware: none`"
        ) from missing
    labels: dict[str, int] = {}
    for number in _numbers():
        found, count = _described(lgpio, number)
        if found == label:
            factory = LGPIOFactory(chip=number)
            factory._info = Lines(label, count)
            return factory
        labels[found] = number
    raise DeviceError(f"no GPIO chip '{label}'{nearest(label, labels)}", hint="see `body` in the board file")


def _numbers() -> list[int]:
    names = (path.name.removeprefix("gpiochip") for path in DEVICES.glob("gpiochip*"))
    return sorted(int(name) for name in names if name.isdigit())


def _described(lgpio: Any, number: int) -> tuple[str, int]:
    """Label and number of lines of /dev/gpiochip`number`."""
    try:
        handle = lgpio.gpiochip_open(number)
    except lgpio.error as refusal:
        raise DeviceError(
            f"{DEVICES}/gpiochip{number}: {refusal}", hint="may this user use pins?"
        ) from refusal
    _, count, _, label = lgpio.gpio_get_chip_info(handle)
    lgpio.gpiochip_close(handle)
    return str(label), int(count)
