"""The rest of a board: buttons, light, motor. One module a kind; its name is the `hardware:` of a board's `body`."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from epsilon.ring import Bell
from epsilon.volume import LOUDEST


class Colour(NamedTuple):
    """How much of each colour, from 0 to 1."""

    red: float
    green: float
    blue: float


DARK = Colour(0.0, 0.0, 0.0)


class Switches:
    """What hands do to the toy. Any thread may set it; stages look at it when they hear the next sound."""

    def __init__(self) -> None:
        self.pressed = False  # the talk button is held down
        self.muted = False  # the microphone is switched off
        self.off = False  # somebody wants the toy to turn itself off
        self.volume = LOUDEST  # in steps
        self._watchers: list[Bell] = []

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever a switch moves."""
        self._watchers.append(bell)

    def unwatch(self, bell: Bell) -> None:
        """Ring it no longer."""
        self._watchers = [one for one in self._watchers if one is not bell]

    def press(self, down: bool) -> None:
        """The talk button goes down or comes up."""
        self.pressed = down
        self._ring()

    def mute(self, on: bool) -> None:
        """The microphone is switched off or on."""
        self.muted = on
        self._ring()

    def turn_volume(self, steps: int) -> None:
        """Louder by so many steps, or quieter; never further than there are steps."""
        self.volume = min(max(self.volume + steps, 0), LOUDEST)
        self._ring()

    def ask_off(self) -> None:
        """The power button was held."""
        self.off = True
        self._ring()

    def _ring(self) -> None:
        for bell in self._watchers:
            bell.ring()


class Light(Protocol):
    """A light of three colours."""

    @property
    def there(self) -> bool:
        """False where the body has none: nothing needs to be drawn."""

    def show(self, colour: Colour) -> None:
        """Set it, until something else is shown."""

    def shown(self) -> Colour:
        """What the pins say it shows."""


class Hardware(Protocol):
    """What moves the switches while the toy runs, and shows how it is."""

    @property
    def light(self) -> Light:
        """Its light, there or not."""

    def start(self) -> None:
        """Take over the pins; from here on switches are set. DeviceError names a pin that cannot be had."""

    def stop(self) -> None:
        """Give the pins back; the light is out and the motor still."""

    def shake(self, on: bool) -> None:
        """Start or stop the motor, where there is one."""
