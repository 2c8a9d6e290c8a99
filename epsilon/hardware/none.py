"""A body without buttons and light: laptops, files."""

from __future__ import annotations

from epsilon.config.board import Body
from epsilon.hardware import DARK, Colour, Switches


class NoLight:
    """Shows nothing."""

    there = False

    def show(self, colour: Colour) -> None: ...

    def shown(self) -> Colour:
        return DARK


class NoHardware:
    """Moves nothing."""

    def __init__(self) -> None:
        self.light = NoLight()

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def shake(self, on: bool) -> None: ...


def load(body: Body, switches: Switches) -> NoHardware:
    """The body of a board that says `hardware: none`."""
    return NoHardware()
