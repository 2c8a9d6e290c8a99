"""A double of lgpio: GPIO chips in memory, whose contacts tests close. What gpiozero's lgpio pins call, no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
MODE_OUT, MODE_PULL_UP = 1 << 1, 1 << 5


class error(Exception):  # the library's own name for it
    """What lgpio raises."""


class Line:
    """One line of a chip: what pulls it, who closed its contact, what is put out on it."""

    def __init__(self) -> None:
        self.claimed = self.output = self.closed = False
        self.busy = False  # another program has it
        self.pull = SET_PULL_NONE
        self.level = 0.0
        self.debounce_micros = 0
        self.called: Callable[[int, int, int, int], None] | None = None

    def read(self) -> int:
        """What a program reads."""
        return int(self.level > 0) if self.output else int(not self.closed and self.pull == SET_PULL_UP)


class Chip:
    """A chip with a label."""

    def __init__(self, label: str, count: int) -> None:
        self.label, self.lines, self.open = label, [Line() for _ in range(count)], 0


chips: dict[int, Chip] = {}


def close_contact(number: int, line: int, closed: bool) -> None:
    """A hand closes or opens a contact to ground."""
    one = chips[number].lines[line]
    before, one.closed = one.read(), closed
    if one.read() != before and one.called is not None:
        one.called(number, line, one.read(), 0)


def gpiochip_open(number: int) -> int:
    if number not in chips:
        raise error("can not open gpiochip")
    chips[number].open += 1
    return number


def gpiochip_close(handle: int) -> None:
    chips[handle].open -= 1
    if not chips[handle].open:
        for line in chips[handle].lines:
            line.claimed = line.output = False
            line.called = None


def gpio_get_chip_info(handle: int) -> list[Any]:
    return [0, len(chips[handle].lines), f"gpiochip{handle}", chips[handle].label]


def _claimed(handle: int, gpio: int) -> Line:
    line = chips[handle].lines[gpio]
    if line.busy:
        raise error("GPIO busy")
    line.claimed = True
    return line


def gpio_claim_input(handle: int, gpio: int, flags: int = 0) -> None:
    line = _claimed(handle, gpio)
    line.output, line.pull, line.level = False, flags or line.pull, 0.0


def gpio_claim_output(handle: int, gpio: int, level: int = 0, flags: int = 0) -> None:
    line = _claimed(handle, gpio)
    line.output, line.level = True, float(level)


def gpio_claim_alert(handle: int, gpio: int, edges: int, flags: int = 0) -> None:
    gpio_claim_input(handle, gpio, flags)


def gpio_free(handle: int, gpio: int) -> None:
    chips[handle].lines[gpio].claimed = False


def gpio_get_mode(handle: int, gpio: int) -> int:
    line = chips[handle].lines[gpio]
    return MODE_OUT * line.output | MODE_PULL_UP * (line.pull == SET_PULL_UP)


def gpio_read(handle: int, gpio: int) -> int:
    return chips[handle].lines[gpio].read()


def gpio_write(handle: int, gpio: int, level: int) -> None:
    chips[handle].lines[gpio].level = float(level)


def gpio_set_debounce_micros(handle: int, gpio: int, micros: int) -> None:
    chips[handle].lines[gpio].debounce_micros = micros


def tx_pwm(handle: int, gpio: int, frequency: float, duty: float) -> None:
    chips[handle].lines[gpio].level = duty / 100 if frequency else 0.0


class callback:  # the library's own name for it
    """Calls a function at each edge until it is cancelled."""

    def __init__(self, handle: int, gpio: int, edge: int, func: Callable[[int, int, int, int], None]) -> None:
        self._line = chips[handle].lines[gpio]
        self._line.called = func

    def cancel(self) -> None:
        self._line.called = None
