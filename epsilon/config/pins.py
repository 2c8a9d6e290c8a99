"""How a pin is named in a board file, and which line of which GPIO chip that is."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"GPIO(\d+)")  # a line of the chip in `body.chip`
BANK = re.compile(
    r"GPIO(\d+)_([A-D])([0-7])"
)  # Rockchip's own names: each bank is a chip of four groups of eight
HEADER = re.compile(r"BOARD\d+|J\d+:\d+|WPI\d+|\d+")  # only gpiozero knows which lines these are
EXAMPLES = "GPIO17, GPIO4_B3, BOARD11 or J8:11"
GROUP_LINES = 8


@dataclass(frozen=True)
class Pin:
    """A line of a GPIO chip. No `chip`: gpiozero's own choice; no `line`: only gpiozero knows it by its name."""

    name: str
    chip: str | None
    line: int | None


def find(name: str, chip: str | None) -> Pin | None:
    """The pin of that name as `parse` has it, or None."""
    try:
        return parse(name, chip)
    except ValueError:
        return None


def parse(name: str, chip: str | None) -> Pin:
    """The pin of that name; `chip` is the label that the board gives for pins without one. ValueError if none."""
    if match := BANK.fullmatch(name):
        bank, group, number = match.groups()
        return Pin(name, f"gpio{bank}", "ABCD".index(group) * GROUP_LINES + int(number))
    if match := LINE.fullmatch(name):
        return Pin(name, chip, int(match[1]))
    if HEADER.fullmatch(name):
        return Pin(name, chip, None)
    raise ValueError(f"no pin '{name}': {EXAMPLES}")
