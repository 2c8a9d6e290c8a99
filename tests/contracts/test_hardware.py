"""Every body: switches move when hands move them, and the pins are given back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from epsilon.config.board import Body
from epsilon.config.folders import loadable_names
from epsilon.errors import DeviceError
from epsilon.hardware import Switches
from epsilon.ring import Bell

BODY = Body(hardware="gpio", talk_button="GPIO17", mute_switch="GPIO27")


def load(name: str, body: Body, switches: Switches) -> Any:
    return importlib.import_module(f"epsilon.hardware.{name}").load(body, switches)


@pytest.fixture
def pins() -> Iterator[Any]:
    """gpiozero's own fake: pins without a board."""
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory

    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


@pytest.mark.parametrize("name", loadable_names("hardware"))
def test_a_body_starts_with_nothing_pressed_and_stops(name: str, pins: Any) -> None:
    switches = Switches()
    hardware = load(name, BODY if name != "none" else Body(), switches)
    hardware.start()
    assert not switches.pressed and not switches.muted
    hardware.stop()
    hardware.start()
    hardware.stop()


def test_contacts_to_ground_move_the_switches_and_ring_the_bell(pins: Any) -> None:
    switches, bell = Switches(), Bell()
    switches.watch(bell)
    hardware = load("gpio", BODY, switches)
    hardware.start()
    bell.wait(0)
    button, mute = pins.pin(17), pins.pin(27)
    button.drive_low()
    assert bell.wait(5) and switches.pressed
    button.drive_high()
    assert bell.wait(5) and not switches.pressed
    mute.drive_low()
    assert bell.wait(5) and switches.muted
    hardware.stop()
    button.drive_low()
    assert not switches.pressed, "the pins are given back"


def test_a_switch_that_was_on_before_the_toy_counts(pins: Any) -> None:
    from gpiozero.pins.mock import MockPin

    class Closed(MockPin):
        """A contact that is closed: no pull-up brings it high."""

        def _set_pull(self, value: str) -> None:
            self._pull = value
            self.drive_low()

    pins.pin(27, pin_class=Closed)
    switches = Switches()
    load("gpio", BODY, switches).start()
    assert switches.muted


def test_a_pin_that_is_not_there_is_told(pins: Any) -> None:
    with pytest.raises(DeviceError, match="pin 'GPIO99'"):
        load("gpio", Body(hardware="gpio", talk_button="GPIO99"), Switches()).start()
