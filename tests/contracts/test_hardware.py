"""Every body, on the mock and on lgpio pins: switches move when hands move them, and pins are given back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from epsilon.config.board import Body
from epsilon.config.folders import loadable_names
from epsilon.config.machine import Knob, Light
from epsilon.errors import DeviceError
from epsilon.hardware import DARK, Colour, Switches, chips
from epsilon.ring import Bell
from epsilon.volume import LOUDEST

LIGHT = Light(red="GPIO12", green="GPIO13", blue="GPIO18")
BODY = Body(
    hardware="gpio",
    talk_button="GPIO17",
    mute_switch="GPIO27",
    volume_up="GPIO5",
    volume_down="GPIO6",
    power_button="GPIO3",
    volume_knob=Knob(a="GPIO23", b="GPIO24"),
    vibration="GPIO22",
    light=LIGHT,
)
DOUBLES = Path(__file__).parent.parent / "doubles"
LABEL = "pinctrl-rp1"


class Pins(Protocol):
    """Pins that a test can reach from outside."""

    body: Body

    def contact(self, line: int, closed: bool) -> None:
        """Close or open a contact to ground."""

    def level(self, line: int) -> float:
        """What is put out on a line."""


class MockPins:
    """gpiozero's own fake: pins without a board."""

    body = BODY

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def contact(self, line: int, closed: bool) -> None:
        pin = self._factory.pin(line)
        (pin.drive_low if closed else pin.drive_high)()

    def level(self, line: int) -> float:
        return float(self._factory.pin(line).state)


class ChipPins:
    """gpiozero's lgpio pins over chips in memory; the one that is meant is not the first."""

    body = replace(BODY, chip=LABEL)
    number = 4

    def __init__(self, lgpio: Any) -> None:
        self.lgpio = lgpio

    def contact(self, line: int, closed: bool) -> None:
        self.lgpio.close_contact(self.number, line, closed)

    def level(self, line: int) -> float:
        return float(self.lgpio.chips[self.number].lines[line].level)


@pytest.fixture
def mock_pins() -> Iterator[MockPins]:
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield MockPins(Device.pin_factory)
    Device.pin_factory.reset()
    Device.pin_factory = before


@pytest.fixture
def chip_pins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ChipPins]:
    monkeypatch.syspath_prepend(str(DOUBLES))
    for name in ("lgpio", "gpiozero.pins.lgpio"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    lgpio = importlib.import_module("lgpio")
    lgpio.chips.update({0: lgpio.Chip("gpio4", 32), 2: lgpio.Chip("gpio1", 32), 4: lgpio.Chip(LABEL, 28)})
    for number in lgpio.chips:
        (tmp_path / f"gpiochip{number}").touch()
    monkeypatch.setattr(chips, "DEVICES", tmp_path)
    yield ChipPins(lgpio)
    for name in ("lgpio", "gpiozero.pins.lgpio"):
        sys.modules.pop(name, None)


@pytest.fixture(params=["mock_pins", "chip_pins"])
def pins(request: pytest.FixtureRequest) -> Pins:
    found: Pins = request.getfixturevalue(request.param)
    return found


def load(name: str, body: Body, switches: Switches) -> Any:
    return importlib.import_module(f"epsilon.hardware.{name}").load(body, switches)


@pytest.fixture
def switches() -> Switches:
    return Switches()


@pytest.fixture
def hardware(pins: Pins, switches: Switches) -> Iterator[Any]:
    """The whole body, started."""
    found = load("gpio", pins.body, switches)
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize("name", loadable_names("hardware"))
def test_a_body_starts_with_nothing_pressed_and_stops(name: str, pins: Pins) -> None:
    switches = Switches()
    hardware = load(name, pins.body if name != "none" else Body(), switches)
    hardware.light.show(Colour(1, 1, 1))
    for _ in range(2):
        hardware.start()
        assert hardware.light.shown() == DARK
        hardware.shake(True)
        hardware.stop()
        assert hardware.light.shown() == DARK
    assert not switches.pressed and not switches.muted and not switches.off
    assert switches.volume == LOUDEST


def test_contacts_to_ground_move_the_switches_and_ring_the_bell(
    hardware: Any, pins: Pins, switches: Switches
) -> None:
    bell = Bell()
    switches.watch(bell)
    pins.contact(17, True)
    assert bell.wait(5) and switches.pressed
    pins.contact(17, False)
    assert bell.wait(5) and not switches.pressed
    pins.contact(27, True)
    assert bell.wait(5) and switches.muted
    pins.contact(27, False)
    assert bell.wait(5) and not switches.muted


def test_what_is_given_back_moves_nothing_and_shows_nothing(pins: Pins, switches: Switches) -> None:
    hardware = load("gpio", pins.body, switches)
    hardware.start()
    hardware.light.show(Colour(1, 0, 1))
    hardware.shake(True)
    hardware.stop()
    pins.contact(17, True)
    assert not switches.pressed, "the pins are given back"
    assert [pins.level(line) for line in (12, 18, 22)] == [0, 0, 0]


def test_keys_turn_the_volume_a_step_at_a_time(hardware: Any, pins: Pins, switches: Switches) -> None:
    for line, expected in ((6, LOUDEST - 1), (6, LOUDEST - 2), (5, LOUDEST - 1), (5, LOUDEST), (5, LOUDEST)):
        pins.contact(line, True)
        pins.contact(line, False)
        assert switches.volume == expected


def test_a_knob_turns_the_volume_both_ways(hardware: Any, pins: Pins, switches: Switches) -> None:
    def turn(first: int, second: int) -> None:
        for line, closed in ((first, True), (second, True), (first, False), (second, False)):
            pins.contact(line, closed)

    turn(24, 23)
    turn(24, 23)
    assert switches.volume == LOUDEST - 2
    turn(23, 24)
    assert switches.volume == LOUDEST - 1


def test_a_power_button_that_is_held_turns_off_and_a_bump_does_not(
    hardware: Any, pins: Pins, switches: Switches
) -> None:
    bell = Bell()
    switches.watch(bell)
    pins.contact(3, True)
    pins.contact(3, False)
    assert not switches.off
    pins.contact(3, True)
    assert bell.wait(30) and switches.off


def test_the_light_shows_what_it_is_told_on_the_pins(hardware: Any, pins: Pins) -> None:
    assert hardware.light.there
    hardware.light.show(Colour(1, 0, 0.5))
    assert [pins.level(line) for line in (12, 13, 18)] == pytest.approx([1, 0, 0.5], abs=0.01)
    assert hardware.light.shown() == pytest.approx((1, 0, 0.5), abs=0.01)
    hardware.light.show(DARK)
    assert hardware.light.shown() == DARK


def test_a_light_whose_colours_share_their_plus_is_lit_by_low_pins(pins: Pins, switches: Switches) -> None:
    hardware = load("gpio", replace(pins.body, light=replace(LIGHT, active_low=True)), switches)
    hardware.start()
    assert [pins.level(line) for line in (12, 13, 18)] == [1, 1, 1], "dark"
    hardware.light.show(Colour(1, 0, 0))
    assert [pins.level(line) for line in (12, 13, 18)] == [0, 1, 1]
    assert hardware.light.shown() == Colour(1, 0, 0)
    hardware.stop()


def test_the_motor_starts_and_stops(hardware: Any, pins: Pins) -> None:
    hardware.shake(True)
    assert pins.level(22) == 1
    hardware.shake(False)
    assert pins.level(22) == 0


def test_a_button_held_and_a_switch_closed_before_the_toy_started_count(
    chip_pins: ChipPins, switches: Switches
) -> None:
    chip_pins.contact(17, True)
    chip_pins.contact(27, True)
    hardware = load("gpio", chip_pins.body, switches)
    hardware.start()
    assert switches.pressed and switches.muted
    hardware.stop()


def test_contacts_are_debounced_by_the_kernel(chip_pins: ChipPins, switches: Switches) -> None:
    hardware = load("gpio", chip_pins.body, switches)
    hardware.start()
    assert chip_pins.lgpio.chips[ChipPins.number].lines[17].debounce_micros == 20_000
    hardware.stop()


def test_a_pin_that_is_not_there_is_told_and_none_is_kept(pins: Pins, switches: Switches) -> None:
    hardware = load("gpio", replace(pins.body, vibration="GPIO99"), switches)
    with pytest.raises(DeviceError, match="pin 'GPIO99'"):
        hardware.start()
    pins.contact(17, True)
    assert not switches.pressed
    pins.contact(17, False)
    whole = load("gpio", pins.body, switches)
    whole.start()  # nothing is in use any more
    whole.stop()


def test_pins_of_two_chips_with_one_number_are_two_pins(chip_pins: ChipPins, switches: Switches) -> None:
    body = Body(hardware="gpio", talk_button="GPIO1_A3", mute_switch="GPIO4_A3")
    hardware = load("gpio", body, switches)
    hardware.start()
    chip_pins.lgpio.close_contact(2, 3, True)
    assert (switches.pressed, switches.muted) == (True, False)
    chip_pins.lgpio.close_contact(0, 3, True)
    assert (switches.pressed, switches.muted) == (True, True)
    hardware.stop()
    assert not any(chip.open for chip in chip_pins.lgpio.chips.values())


def test_a_knob_on_two_chips_is_told(chip_pins: ChipPins) -> None:
    body = Body(hardware="gpio", volume_knob=Knob(a="GPIO1_A3", b="GPIO4_A3"))
    with pytest.raises(DeviceError, match="of two chips"):
        load("gpio", body, Switches()).start()
    assert not any(chip.open for chip in chip_pins.lgpio.chips.values())


def test_a_chip_that_is_not_there_is_told_with_those_that_are(chip_pins: ChipPins) -> None:
    body = replace(chip_pins.body, chip="pinctrl-rp2")
    with pytest.raises(DeviceError, match=r"no GPIO chip 'pinctrl-rp2'.*did you mean pinctrl-rp1"):
        load("gpio", body, Switches()).start()


def test_a_pin_that_another_program_has_is_told(chip_pins: ChipPins) -> None:
    chip_pins.lgpio.chips[ChipPins.number].lines[17].busy = True
    with pytest.raises(DeviceError, match=r"pin 'GPIO17': GPIO busy"):
        load("gpio", chip_pins.body, Switches()).start()


def test_a_board_with_pins_and_without_lgpio_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceError, match="needs lgpio"):
        load("gpio", replace(BODY, chip=LABEL), Switches()).start()


def test_a_button_that_came_up_while_nobody_looked_is_up(pins: Pins, switches: Switches) -> None:
    """A toy that moves to other cores gives its pins back for a while."""
    switches.press(True)
    hardware = load("gpio", pins.body, switches)
    hardware.start()
    assert not switches.pressed
    hardware.stop()
