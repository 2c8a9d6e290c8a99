"""The rest of a board: button and switch. One module a kind; its name is the `hardware:` of a board's `body`."""

from __future__ import annotations

from typing import Protocol

from epsilon.ring import Bell


class Switches:
    """What hands do to the toy. Any thread may set it; stages look at it when they hear the next sound."""

    def __init__(self) -> None:
        self.pressed = False  # the talk button is held down
        self.muted = False  # the microphone is switched off
        self._watchers: list[Bell] = []

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever a switch moves."""
        self._watchers.append(bell)

    def press(self, down: bool) -> None:
        """The talk button goes down or comes up."""
        self.pressed = down
        self._ring()

    def mute(self, on: bool) -> None:
        """The microphone is switched off or on."""
        self.muted = on
        self._ring()

    def _ring(self) -> None:
        for bell in self._watchers:
            bell.ring()


class Hardware(Protocol):
    """What moves the switches while the toy runs."""

    def start(self) -> None:
        """Take over the pins; from here on switches are set."""

    def stop(self) -> None:
        """Give the pins back."""
