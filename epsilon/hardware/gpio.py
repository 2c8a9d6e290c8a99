"""Buttons, light and motor on pins, through gpiozero: contacts to ground, pulled up, debounced."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from epsilon.config.board import Body
from epsilon.config.machine import Knob
from epsilon.config.pins import parse
from epsilon.errors import DeviceError
from epsilon.hardware import DARK, Colour, Switches
from epsilon.hardware.chips import open_chip

BOUNCE_S = 0.02  # a contact that opens again within this time has not moved
KNOB_BOUNCE_S = 0.001  # an encoder's contacts close within a few ms of each other
OFF_HOLD_S = 1.0  # so long the power button is held: a bump turns nothing off
CHOSEN = "GPIOZERO_PIN_FACTORY"  # gpiozero's own way to ask for other pins, say `mock`


class GpioLight:
    """Three pins that are dimmed by being switched fast."""

    def __init__(self) -> None:
        self._parts: tuple[Any, ...] = ()
        self._shown = DARK

    @property
    def there(self) -> bool:
        """True once it has its pins."""
        return bool(self._parts)

    def take(self, *parts: Any) -> None:
        """The outputs for red, green and blue; none when they are given back."""
        self._parts, self._shown = parts, DARK

    def show(self, colour: Colour) -> None:
        for part, before, now in zip(self._parts, self._shown, colour, strict=False):
            if before != now:
                part.value = now
        self._shown = colour

    def shown(self) -> Colour:
        return Colour(*(float(part.value) for part in self._parts)) if self._parts else DARK


class GpioHardware:
    """gpiozero's threads set the switches, and nothing else happens there."""

    def __init__(self, body: Body, switches: Switches, open_chip: Callable[[str], Any] = open_chip) -> None:
        self._body, self._switches, self._open_chip = body, switches, open_chip
        self.light = GpioLight()
        self._motor: Any = None
        self._chips: dict[str, Any] = {}
        self._open = contextlib.ExitStack()

    def start(self) -> None:
        try:
            self._take_keys()
            self._take_outputs()
        except DeviceError:
            self.stop()  # none is kept where not all could be had
            raise

    def stop(self) -> None:
        self.light.take()
        self._motor = None
        self._open.close()
        self._chips.clear()

    def shake(self, on: bool) -> None:
        if self._motor is not None:
            self._motor.value = on

    def _take_keys(self) -> None:
        body, switches = self._body, self._switches
        if body.talk_button is not None:
            button = self._contact(body.talk_button)
            button.when_pressed = lambda: switches.press(True)
            button.when_released = lambda: switches.press(False)
            if button.is_pressed != switches.pressed:  # moved while nobody looked
                switches.press(button.is_pressed)
        if body.mute_switch is not None:
            switch = self._contact(body.mute_switch)
            switch.when_pressed = lambda: switches.mute(True)
            switch.when_released = lambda: switches.mute(False)
            switches.mute(switch.is_pressed)  # it may have been on before the toy was
        for pin, steps in ((body.volume_up, 1), (body.volume_down, -1)):
            if pin is not None:
                self._contact(pin).when_pressed = lambda steps=steps: switches.turn_volume(steps)
        if body.volume_knob is not None:
            knob = self._knob(body.volume_knob)
            knob.when_rotated_clockwise = lambda: switches.turn_volume(1)
            knob.when_rotated_counter_clockwise = lambda: switches.turn_volume(-1)
        if body.power_button is not None:
            self._contact(body.power_button, OFF_HOLD_S).when_held = switches.ask_off

    def _take_outputs(self) -> None:
        light = self._body.light
        if light is not None:
            pins, high = (light.red, light.green, light.blue), not light.active_low
            self.light.take(*(self._device("PWMLED", pin, active_high=high) for pin in pins))
        if self._body.vibration is not None:
            self._motor = self._device("DigitalOutputDevice", self._body.vibration)

    def _contact(self, pin: str, hold_s: float = 1.0) -> Any:
        return self._device("Button", pin, pull_up=True, bounce_time=BOUNCE_S, hold_time=hold_s)

    def _knob(self, knob: Knob) -> Any:
        """A rotary encoder. DeviceError where its two pins are not of one chip."""
        (factory, a), (other, b) = self._pin_of(knob.a), self._pin_of(knob.b)
        if factory is not other:
            raise DeviceError(
                f"pins '{knob.a}' and '{knob.b}' of one knob are of two chips", hint="see `body`"
            )
        return self._make("RotaryEncoder", f"{knob.a}, {knob.b}", factory, a, b, bounce_time=KNOB_BOUNCE_S)

    def _device(self, kind: str, pin: str, **settings: Any) -> Any:
        factory, name = self._pin_of(pin)
        return self._make(kind, pin, factory, name, **settings)

    def _make(self, kind: str, pin: str, factory: Any, *names: str, **settings: Any) -> Any:
        """One of gpiozero's devices. DeviceError when this machine has no such pin or no pins at all."""
        import gpiozero  # for boards with pins only

        with _explained(pin):
            device = getattr(gpiozero, kind)(*names, pin_factory=factory, **settings)
        return self._open.enter_context(device)

    def _pin_of(self, name: str) -> tuple[Any, str]:
        """Who makes the pin, None for gpiozero's choice, and its name there."""
        import gpiozero

        pin = parse(name, self._body.chip)
        others = gpiozero.Device.pin_factory is not None or os.environ.get(CHOSEN)
        if pin.chip is None or pin.line is None or others:
            return None, name
        if pin.chip not in self._chips:
            self._chips[pin.chip] = self._open.enter_context(self._open_chip(pin.chip))
        return self._chips[pin.chip], f"GPIO{pin.line}"


@contextlib.contextmanager
def _explained(pin: str) -> Iterator[None]:
    """What gpiozero and lgpio raise, as DeviceError with the pin's name."""
    import gpiozero

    lgpio = sys.modules.get("lgpio")
    refusals = (gpiozero.GPIOZeroError, OSError, *((lgpio.error,) if lgpio else ()))
    try:
        yield
    except refusals as refusal:
        usual = isinstance(refusal, gpiozero.GPIOZeroError)
        hint = "see `body` in the board file" if usual else "may this user use pins? does another program?"
        raise DeviceError(f"pin '{pin}': {refusal}", hint=hint) from refusal


def load(body: Body, switches: Switches) -> GpioHardware:
    """The body of a board that says `hardware: gpio`."""
    return GpioHardware(body, switches)
