"""A body without button and switch: laptops, files."""

from __future__ import annotations

from epsilon.config.board import Body
from epsilon.hardware import Switches


class NoHardware:
    """Moves nothing."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def load(body: Body, switches: Switches) -> NoHardware:
    """The body of a board that says `hardware: none`."""
    return NoHardware()
