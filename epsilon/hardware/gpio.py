"""Button and switch on pins, through gpiozero: contacts to ground, pulled up, debounced."""

from __future__ import annotations

import contextlib
from typing import Any

from epsilon.config.board import Body
from epsilon.errors import DeviceError
from epsilon.hardware import Switches

BOUNCE_S = 0.02  # a contact that opens again within this time has not moved


class GpioHardware:
    """gpiozero's threads set the switches, and nothing else happens there."""

    def __init__(self, body: Body, switches: Switches) -> None:
        self._body, self._switches = body, switches
        self._open = contextlib.ExitStack()

    def start(self) -> None:
        try:
            self._take_pins()
        except DeviceError:
            self.stop()  # none is kept where not all could be had
            raise

    def _take_pins(self) -> None:
        if self._body.talk_button is not None:
            button = self._contact(self._body.talk_button)
            button.when_pressed = lambda: self._switches.press(True)
            button.when_released = lambda: self._switches.press(False)
        if self._body.mute_switch is not None:
            switch = self._contact(self._body.mute_switch)
            switch.when_pressed = lambda: self._switches.mute(True)
            switch.when_released = lambda: self._switches.mute(False)
            self._switches.mute(switch.is_pressed)  # it may have been on before the toy was

    def stop(self) -> None:
        self._open.close()

    def _contact(self, pin: str) -> Any:
        """A contact at a pin. DeviceError when this machine has no such pin or no pins at all."""
        import gpiozero  # for boards with pins only

        try:
            contact = gpiozero.Button(pin, pull_up=True, bounce_time=BOUNCE_S)
        except gpiozero.GPIOZeroError as error:
            raise DeviceError(f"pin '{pin}': {error}", hint="see `body` in the board file") from error
        except OSError as error:
            raise DeviceError(
                f"pin '{pin}': {error.strerror or error}", hint="may this user use pins?"
            ) from error
        return self._open.enter_context(contact)


def load(body: Body, switches: Switches) -> GpioHardware:
    """The body of a board that says `hardware: gpio`."""
    return GpioHardware(body, switches)
