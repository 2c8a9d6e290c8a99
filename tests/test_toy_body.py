"""A whole toy with a body, in threads: mock pins and a /sys in a folder, from a finger to the last word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.clock import MonotonicClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.machine import Body, Light
from epsilon.devices.wav import WavCard
from epsilon.errors import StageDied
from epsilon.hardware import Colour
from epsilon.hardware.senses import Senses
from epsilon.messages import News
from epsilon.stages.body import Body as BodyStage
from epsilon.state import VOLUME, State
from epsilon.toy import Toy, running
from tests.sysfs import Sysfs

PATIENCE_S = 60.0  # of a test on a busy machine
BODY = Body(
    hardware="gpio",
    power_button="GPIO3",
    volume_down="GPIO6",
    light=Light(red="GPIO12", green="GPIO13", blue="GPIO18"),
    battery="BAT0",
)


@pytest.fixture
def pins() -> Iterator[Any]:
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


@pytest.fixture(scope="module")
def board() -> Board:
    return replace(load_board("host"), body=BODY)


def build(board: Board, sysfs: Sysfs, state: State) -> Toy:
    """On a card that hears nothing."""
    clock = MonotonicClock()
    card = WavCard(board.audio, clock, np.zeros(160, np.float32))
    feeling = Senses("BAT0", (), sysfs.root)
    return Toy(board, load_character(board.character), card, clock, state=state, feeling=feeling)


def follow(toy: Toy, last: str, then: Callable[[News], None] = lambda news: None) -> list[tuple[str, str]]:
    """What is told until `last` is."""
    told: list[tuple[str, str]] = []
    give_up_s = MonotonicClock().now() + PATIENCE_S
    while last not in dict(told):
        for news in toy.watch(give_up_s - MonotonicClock().now()):
            told.append((news.what, news.text))
            then(news)
        assert MonotonicClock().now() < give_up_s, told
    return told


def test_a_finger_on_the_power_button_is_answered_by_goodbye(board: Board, pins: Any, tmp_path: Path) -> None:
    sysfs, state = Sysfs(tmp_path), State()
    sysfs.battery("BAT0", 80)
    toy = build(board, sysfs, state)
    with running(toy):
        pins.pin(6).drive_low()
        pins.pin(3).drive_low()
        told = follow(toy, "power off")
    assert told[-1] == ("power off", "button")
    assert ("heard", toy.character.lines.goodbye) in told
    assert [text for what, text in told if what == "light"][-1] == "leaving"
    assert state.get(VOLUME) == 9
    assert isinstance(toy.card, WavCard)
    assert np.abs(toy.card.reply()).max() > 0.05, "it was said aloud"
    assert [pins.pin(line).state for line in (12, 13, 18)] == [0, 0, 0], "and the light is out"


def test_an_empty_battery_ends_it_too(board: Board, pins: Any, tmp_path: Path) -> None:
    sysfs = Sysfs(tmp_path)
    sysfs.battery("BAT0", 3)
    toy = build(board, sysfs, State())
    with running(toy):
        told = follow(toy, "power off")
    said = [text for what, text in told if what in ("standing", "power off")]
    assert said == ["low 3 %", "critical 3 %", "battery"]
    lines = toy.character.lines
    assert [text for what, text in told if what == "heard"][-1] == lines.goodbye
    assert ("says", lines.low_battery) in told


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_light_is_red_whatever_stage_died_and_be_it_the_body_itself(
    board: Board, pins: Any, tmp_path: Path
) -> None:
    sysfs, shown = Sysfs(tmp_path), list[Colour]()
    sysfs.battery("BAT0", 80)
    toy = build(board, sysfs, State())
    body = toy.stages[-1]
    assert isinstance(body, BodyStage)

    def broken() -> bool:
        raise ValueError("on purpose")

    body.tick = broken  # type: ignore[method-assign]
    genuine = toy.say_trouble

    def say_trouble() -> None:
        genuine()
        shown.append(body.hardware.light.shown())

    toy.say_trouble = say_trouble  # type: ignore[method-assign]
    with pytest.raises(StageDied), running(toy):
        follow(toy, "never")
    assert shown[0].red > 0 == shown[0].green == shown[0].blue
