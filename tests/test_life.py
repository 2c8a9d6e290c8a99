"""A toy from power-on to power-off: what makes it ready, what ends it, what it says after an accident."""

from __future__ import annotations

import errno
import gc
import os
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from epsilon import duplex, life
from epsilon.duplex import Acoustics
from epsilon.errors import AudioFileError, DeviceError, InferenceError, ModelError, StageDied
from epsilon.hardware import Switches
from epsilon.last_words import trouble_line
from epsilon.life import MARKER, alive
from epsilon.messages import News
from epsilon.state import PAUSES, State
from epsilon.toy import Toy
from epsilon.turn import Mark
from tests.lives import ANSWER, MOVE, OFF, FastCard, House, Script
from tests.rig import CountingCard


def test_it_is_ready_once_it_has_heard_something_and_not_before() -> None:
    toy = Script("nothing", "hears", OFF)
    house = House(toy)
    house.life.live()
    assert house.shown == ["odette is listening", "power off: button"]
    assert house.supervisor.heard.count("READY=1") == 1
    assert house.supervisor.heard.index("WATCHDOG=1") < house.supervisor.ready_after
    assert (toy.started, toy.stopped, toy.trouble) == (1, 1, 0)
    deaf = House(Script("nothing", "nothing", OFF))
    deaf.life.live()
    assert deaf.supervisor.ready_after == -1


def test_in_a_slot_on_trial_it_must_have_spoken_as_well() -> None:
    toy = Script("hears", "nothing", "nothing", OFF)
    house = House(toy, trial=True)
    house.life.live()
    assert toy.asked() == ["I am Odette."]
    assert house.supervisor.ready_after == -1
    toy = Script("hears", "nothing", ANSWER, "nothing", OFF)
    house = House(toy, trial=True)
    house.life.live()
    assert house.supervisor.ready_after >= 0
    assert "odette is listening" in house.shown


def test_a_toy_that_moves_goes_on_and_is_ready_but_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Script("hears", MOVE), Script("hears", "nothing", OFF)
    house, moved = House(first), list[tuple[object, str]]()

    def successor(toy: Toy, board: Any, card: Any, clock: Any) -> Toy:
        moved.append((toy, board.name))
        return cast("Toy", second)

    monkeypatch.setattr(life.moving, "successor", successor)
    house.life.live()
    assert moved == [(first, "host")] and (first.stopped, second.stopped) == (1, 1)
    assert house.supervisor.heard.count("READY=1") == 1
    patience = [line for line in house.supervisor.heard if line.startswith("WATCHDOG_USEC")]
    assert patience == [f"WATCHDOG_USEC={n}000000" for n in (5, 180, 5, 180)]


def test_the_users_pauses_are_kept_and_known_again(tmp_path: Path) -> None:
    state = State.open(tmp_path)
    pauses = [News(Mark(n, 0), "goes on", 0.0, f"{300 + n}") for n in range(30)]
    house = House(Script("hears", *pauses, OFF), state=state)
    house.life.live()
    assert state.get(PAUSES) == [float(300 + n) for n in range(6, 30)]
    toy = Script(OFF)
    House(toy, state=State.open(tmp_path)).life.live()
    assert toy.heard_ms == [float(300 + n) for n in range(6, 30)]


@pytest.mark.parametrize("kept", [7, "often", [1, "x", -3, None, 500.0], {"a": 1}])
def test_pauses_that_are_none_are_passed_over(kept: Any) -> None:
    state, toy = State.open(None), Script(OFF)
    state.set(PAUSES, kept)
    House(toy, state=state).life.live()
    assert toy.heard_ms == ([1.0, 500.0] if isinstance(kept, list) else [])


def test_what_is_set_is_saved_as_it_goes_and_at_the_end(tmp_path: Path) -> None:
    state, seen = State.open(tmp_path), list[object]()

    class Turning(Script):
        def watch(self) -> Iterator[News]:
            seen.append(State.open(tmp_path).get("volume"))
            state.set("volume", len(seen))
            yield from super().watch()

    House(Turning("nothing", "nothing", OFF), state=state).life.live()
    assert seen == [None, 1, 2]
    assert State.open(tmp_path).get("volume") == 3


def test_nothing_that_was_said_is_shown() -> None:
    said = [News(Mark(1, 0), what, 0.0, "secret") for what in ("words", "token", "heard", "says", "cut")]
    house = House(Script("hears", *said, OFF))
    house.life.live()
    assert "secret" not in "".join(house.shown + house.supervisor.heard)


def test_a_life_that_was_cut_off_is_told_by_the_next(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    toy, after = Script(OFF), Script(OFF)
    house = House(toy)
    house.life.live(tmp_path)
    assert toy.asked() == [house.life.character.lines.trouble]
    assert not (tmp_path / MARKER).exists()
    House(after).life.live(tmp_path)
    assert after.asked() == [], "this life ended in order"


def test_what_died_in_the_open_has_said_so_itself(tmp_path: Path) -> None:
    toy = Script(fail=True)
    house = House(toy)
    with pytest.raises(StageDied):
        house.life.live(tmp_path)
    assert toy.trouble == 1 and toy.stopped == 1
    assert not (tmp_path / MARKER).exists()


def test_the_mark_is_there_while_it_lives_and_no_folder_is_no_trouble(tmp_path: Path) -> None:
    with alive(tmp_path) as cut_off:
        assert not cut_off and (tmp_path / MARKER).exists()
    with alive(None) as cut_off:
        assert not cut_off
    with alive(tmp_path / "not" / "there") as cut_off:
        assert not cut_off


def test_a_card_that_is_broken_keeps_nobody_from_starting(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    house = House(Script(OFF))
    genuine, house.life.new_card = house.life.new_card, broken
    house.life.say_trouble()
    house.life.new_card = genuine
    house.life.live(tmp_path)


@pytest.mark.parametrize("why", [ModelError("damaged"), MemoryError(), InferenceError("the NPU failed")])
def test_what_cannot_be_built_says_so_and_dies(why: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    house, lights = House(), list[Lamp]()

    def build(*given: object) -> Any:
        raise why

    def hardware(board: object, switches: Switches) -> Lamp:
        lights.append(Lamp())
        return lights[-1]

    house.life.new_toy = build
    monkeypatch.setattr(life, "load_hardware", hardware)
    with pytest.raises(type(why)):
        house.life.live()
    assert np.array_equal(house.cards[-1].sound(), trouble_line(house.life.character))
    assert lights[-1].colours and not lights[-1].taken, "it was red, and the pins are free again"


def test_after_a_life_that_was_cut_off_it_is_red_until_the_next_toy_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / MARKER).touch()
    house, lamp, red = House(Script(OFF)), Lamp(), list[bool]()
    born = house.life.new_toy

    def build(*given: Any) -> Toy:
        red.append(lamp.taken and bool(lamp.colours))
        return born(*given)

    house.life.new_toy = build
    monkeypatch.setattr(life, "load_hardware", lambda board, switches: lamp)
    house.life.live(tmp_path)
    assert red == [True] and not lamp.taken, "the pins are free for the toy"


def test_without_the_recording_of_its_line_there_is_still_the_light(monkeypatch: pytest.MonkeyPatch) -> None:
    house, lamp = House(), Lamp()

    def missing(character: object) -> Any:
        raise AudioFileError("no such file", "trouble.wav")

    monkeypatch.setattr(life, "load_hardware", lambda board, switches: lamp)
    monkeypatch.setattr(life, "trouble_line", missing)
    house.life.be_in_trouble()
    assert lamp.taken and lamp.colours


def test_the_light_of_trouble_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """gpiozero puts out the pins of whoever is forgotten."""
    house, lamps = House(), list[weakref.ref[Lamp]]()

    def hardware(board: object, switches: Switches) -> Lamp:
        lamp = Lamp()
        lamps.append(weakref.ref(lamp))
        return lamp

    monkeypatch.setattr(life, "load_hardware", hardware)
    house.life.be_in_trouble()
    gc.collect()
    lamp = lamps[0]()
    assert lamp is not None and lamp.taken and lamp.colours
    assert np.array_equal(house.cards[-1].sound(), trouble_line(house.life.character))


class Lamp:
    """A body that is nothing but a light."""

    def __init__(self) -> None:
        self.light, self.colours, self.taken = self, list[object](), False

    def start(self) -> None:
        self.taken = True

    def stop(self) -> None:
        self.taken = False

    def show(self, colour: object) -> None:
        assert self.taken
        self.colours.append(colour)


def broken(audio: object, clock: object) -> Any:
    raise DeviceError("no card")


class Hand:
    """A body whose button is held down."""

    def __init__(self, switches: Switches, down: bool) -> None:
        self.switches, self.down = switches, down
        self.taken = 0

    def start(self) -> None:
        self.switches.press(self.down)
        self.taken += 1

    def stop(self) -> None:
        self.taken -= 1


@pytest.mark.parametrize(
    ("down", "holds", "pin", "tested"),
    [
        (True, True, "GPIO17", 1),
        (False, True, "GPIO17", 0),
        (True, False, "GPIO17", 0),
        (True, True, None, 0),
    ],
)
def test_the_button_held_at_power_on_starts_the_self_test(
    monkeypatch: pytest.MonkeyPatch, down: bool, holds: bool, pin: str | None, tested: int
) -> None:
    house, hands, tests = House(Script(OFF)), list[Hand](), list[object]()

    def hardware(board: object, switches: Switches) -> Hand:
        hands.append(Hand(switches, down))
        return hands[-1]

    monkeypatch.setattr(life, "load_hardware", hardware)
    monkeypatch.setattr(life.selftest, "run_all", lambda bench, names, line: tests.append(bench))
    body = replace(house.life.board.body, hold_for_selftest=holds, talk_button=pin)
    house.life.board = replace(house.life.board, body=body)
    house.life.live()
    assert len(tests) == tested
    assert not any(hand.taken for hand in hands), "the pins are free for the toy"


def test_a_spoilt_measurement_is_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EPSILON_STATE", str(tmp_path))
    house = House(Script(OFF), Script(OFF))
    path = duplex.place(house.life.board)
    path.write_text("duplex: [half")
    found = Acoustics("half", "kalman", 10, -60, -30, 12, 3, 0)
    monkeypatch.setattr(life.audio_check, "check", lambda board, clock: found)
    monkeypatch.setattr(FastCard, "hears_itself", True, raising=False)
    genuine = CountingCard.__init__
    monkeypatch.setattr(CountingCard, "__init__", lambda self, lead_frames: genuine(self, lead_frames, True))
    house.life.live()
    assert house.given[4] == found and duplex.recall(house.life.board) == found
    path.unlink()
    path.mkdir()  # and nothing can be kept

    def unreadable(board: object) -> Acoustics:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(life, "recall", unreadable)
    house.life.live()
    assert house.given[4] == found
