"""A body whose light is kept instead of shown, for recordings in which it must say something."""

from __future__ import annotations

from epsilon.hardware import DARK, Colour
from epsilon.hardware.light import PATTERNS, Sign, shade


class KeptLight:
    """See epsilon.hardware.Light."""

    there = True

    def __init__(self) -> None:
        self._colour = DARK

    def show(self, colour: Colour) -> None:
        """Keep it."""
        self._colour = colour

    def shown(self) -> Colour:
        """What was shown last."""
        return self._colour


class ShownBody:
    """See epsilon.hardware.Hardware."""

    def __init__(self) -> None:
        self.light = KeptLight()

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def shake(self, on: bool) -> None: ...

    def fail(self) -> None:
        """What a toy that dies shows last."""
        self.light.show(shade(PATTERNS[Sign.TROUBLE], 0.0))
