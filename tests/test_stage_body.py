"""The body in lock-step: what it shows, says and asks for, by doubles of light, senses and conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from epsilon.clock import ManualClock
from epsilon.config.character import Lines
from epsilon.config.machine import Ladder as Rule
from epsilon.floor import Event, Floor
from epsilon.hardware import DARK, Colour, Switches
from epsilon.hardware.light import FRAME_S, PATTERNS, Sign, shade
from epsilon.hardware.senses import Readings
from epsilon.ladder import Ladder
from epsilon.messages import Announcement, News
from epsilon.ring import Bell
from epsilon.stages.body import PATIENCE_S, READ_S, SHAKE_S, Body
from epsilon.state import VOLUME, State
from epsilon.turn import Mark
from epsilon.volume import LOUDEST
from tests.rig import connect, place, take_all

LINES = Lines(trouble="Oh.", low_battery="I am tired.", goodbye="Goodbye.", hot="I am warm.")
CLIPS = {"I am tired.": np.ones(10, np.float32)}


@dataclass
class Lamp:
    """A light that remembers what it showed."""

    there: bool = True
    colours: list[Colour] = field(default_factory=list)

    def show(self, colour: Colour) -> None:
        self.colours.append(colour)

    def shown(self) -> Colour:
        return self.colours[-1] if self.colours else DARK


class Case:
    """A body of plastic."""

    def __init__(self, there: bool) -> None:
        self.light = Lamp(there)
        self.shakes: list[bool] = []

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def shake(self, on: bool) -> None:
        self.shakes.append(on)


class Felt:
    """Feels what the test says."""

    def __init__(self) -> None:
        self.now: Readings | None = Readings(percent=90, celsius=40)
        self.asked = 0

    def start(self) -> None: ...

    def read(self) -> Readings | None:
        self.asked += 1
        return self.now


class Scene:
    """A conversation that stands still, and its own mouth."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.owing = self.sounding = self.deafening = False
        self.announced: tuple[Announcement, Mark] | None = None
        self.spoke = Mark(-1, 0)
        self.bells: list[Bell] = []

    def watch(self, bell: Bell) -> None:
        self.bells.append(bell)


class Toy:
    """A body stage with everything around it."""

    def __init__(self, light: bool = True, may_move: bool = True) -> None:
        where = place()
        assert isinstance(where.clock, ManualClock)
        self.clock, self.turn = where.clock, where.turn
        self.case, self.felt, self.scene = Case(light), Felt(), Scene()
        self.switches, self.state = Switches(), State()
        ladder = Ladder(Rule())
        self.body = Body(where, self.case, self.felt, self.switches, ladder, LINES, CLIPS, self.state)
        self.body.may_move = may_move
        _, self.outbox, self._news = connect(self.body)
        self.lengths: list[float] = []
        self.body.follow(self.scene, self.scene, self.lengths.append)

    def wait(self, seconds: float = 0.0) -> list[str]:
        """Let time pass; what the body has to say."""
        self.clock.advance_to(self.clock.now() + seconds)
        while self.body.step():
            pass
        return [item.text for item in self._taken()]

    def _taken(self) -> Sequence[Announcement]:
        self.taken = [item for item in take_all(self.outbox) if isinstance(item, Announcement)]
        return self.taken

    def feel(self, *readings: Readings) -> list[str]:
        """One reading after the other, as the clock brings them."""
        said: list[str] = []
        for self.felt.now in readings:
            said += self.wait(READ_S)
        return said

    def news(self) -> list[tuple[str, str]]:
        return [(item.what, item.text) for item in take_all(self._news) if isinstance(item, News)]

    def told(self) -> list[tuple[str, str]]:
        """News of other things than the light."""
        return [one for one in self.news() if one[0] != "light"]

    def say_line(self) -> None:
        """The vad stage says what it was given last, and the toy begins to speak."""
        assert self.body.said is not None
        mark = self.turn.next()
        self.turn.commit()
        self.scene.announced = (self.body.said, mark)
        self.scene.spoke, self.scene.sounding = mark, True
        self.wait()

    def sign(self) -> Sign:
        return self.body.sign

    def light(self) -> Colour:
        return self.case.light.shown()


def steady(sign: Sign) -> Colour:
    return shade(PATTERNS[sign], 0)


def test_the_light_follows_the_conversation() -> None:
    toy = Toy()
    toy.wait()
    assert toy.light() == steady(Sign.LISTENING)
    toy.scene.floor.take(Event.VOICE)
    toy.wait()
    assert toy.light() == steady(Sign.HEARING)
    toy.scene.floor.take(Event.PAUSE)
    toy.scene.floor.take(Event.END)
    toy.scene.owing = True
    toy.wait()
    assert toy.sign() is Sign.THINKING
    toy.scene.sounding, toy.scene.owing = True, False
    toy.wait()
    assert toy.sign() is Sign.SPEAKING
    toy.scene.sounding = False
    toy.switches.mute(True)
    toy.wait()
    assert toy.light() == steady(Sign.MUTED)


def test_a_light_that_moves_is_drawn_again_and_one_that_stands_still_is_not() -> None:
    toy = Toy()
    toy.felt.now = None
    toy.wait()
    assert toy.body.due() is None
    toy.scene.sounding = True
    toy.wait()
    assert toy.body.due() == pytest.approx(toy.clock.now() + FRAME_S)
    drawn = len(toy.case.light.colours)
    for _ in range(10):
        toy.wait(FRAME_S)
    assert len(toy.case.light.colours) == drawn + 10


def test_nobody_draws_a_light_that_is_not_there() -> None:
    toy = Toy(light=False)
    toy.felt.now = None
    toy.scene.sounding = True
    toy.wait()
    assert toy.body.due() is None and not toy.case.light.colours


def test_bells_wake_it_when_the_turn_the_mouth_or_a_switch_moves() -> None:
    toy = Toy()
    for move in (lambda: toy.turn.hold(True), lambda: toy.switches.mute(True), toy.scene.bells[0].ring):
        assert not toy.body.bell.wait(0)
        move()
        assert toy.body.bell.wait(0)


def test_a_low_battery_is_said_once_from_its_recording_and_the_toy_becomes_brief_and_dim() -> None:
    toy = Toy()
    before = [toy.feel(Readings(percent=50)), toy.light()][1]
    assert toy.feel(*[Readings(percent=18)] * 3) == ["I am tired."]
    assert ("standing", "low 18 %") in toy.told()
    assert toy.lengths[-1] < 1
    toy.scene.floor.take(Event.VOICE)
    toy.wait()
    assert 0 < max(toy.light()) < max(steady(Sign.HEARING))
    assert before == steady(Sign.LISTENING)
    assert toy.feel(Readings(percent=18, charging=True)) == []
    assert toy.lengths[-1] == 1


def test_heat_that_comes_to_a_low_battery_does_not_make_it_say_that_again() -> None:
    toy = Toy()
    assert toy.feel(Readings(percent=18)) == ["I am tired."]
    assert toy.feel(*[Readings(percent=18, celsius=90)] * 2) == ["I am warm."]


def test_the_recording_of_a_line_goes_along_where_there_is_one() -> None:
    toy = Toy()
    toy.feel(Readings(percent=18))
    assert toy.taken[0].clip is CLIPS["I am tired."] and not toy.taken[0].urgent
    toy.switches.ask_off()
    toy.wait()
    assert toy.taken[0].clip is None and toy.taken[0].urgent


def test_an_empty_battery_says_goodbye_and_turns_off_when_that_has_been_heard() -> None:
    toy = Toy()
    assert toy.feel(Readings(percent=4), Readings(percent=4)) == ["I am tired.", "Goodbye."]
    toy.say_line()
    assert toy.body.sign is Sign.LEAVING
    assert ("power off", "battery") not in toy.told()
    toy.scene.sounding = False
    toy.wait()
    assert toy.told() == [("power off", "battery")]
    assert toy.feel(Readings(percent=3)) == [] and toy.told() == [], "it is told once"
    assert toy.feel(Readings(percent=50, charging=True)) == [] and toy.told() == [], "and not taken back"


def test_the_power_button_says_goodbye_and_turns_off() -> None:
    toy = Toy()
    toy.switches.ask_off()
    assert toy.wait() == ["Goodbye."]
    toy.say_line()
    toy.turn.next()  # somebody speaks over it
    toy.wait()
    assert toy.told() == [("power off", "button")]


def test_a_line_that_was_said_before_is_no_goodbye() -> None:
    toy = Toy()
    toy.feel(Readings(percent=18))
    toy.say_line()
    toy.scene.sounding = False
    toy.switches.ask_off()
    toy.wait()
    assert ("power off", "button") not in toy.told()
    toy.say_line()
    toy.scene.sounding = False
    toy.wait()
    assert ("power off", "button") in toy.told()


def test_a_goodbye_that_never_sounds_keeps_no_empty_toy_on() -> None:
    toy = Toy()
    toy.felt.now = None
    toy.switches.ask_off()
    toy.wait()
    assert toy.told() == []
    due_s = toy.body.due()
    assert due_s is not None
    toy.scene.spoke = toy.turn.now  # of another reply
    toy.wait(PATIENCE_S)
    assert toy.told() == [("power off", "button")]


def test_heat_is_said_and_the_toy_moves_when_it_is_quiet_and_back_when_it_is_cool() -> None:
    toy = Toy()
    assert toy.feel(Readings(celsius=85), Readings(celsius=85)) == ["I am warm."]
    toy.say_line()
    toy.scene.sounding = False
    toy.scene.floor.take(Event.VOICE)
    toy.wait()
    assert ("move", "smaller") not in toy.told()
    toy.scene.floor.take(Event.MUTE)
    toy.wait()
    assert toy.told() == [("move", "smaller")]
    assert toy.body.sign is Sign.HOT
    assert toy.feel(Readings(celsius=75)) == [] and toy.told() == []
    assert toy.feel(Readings(celsius=69)) == []
    assert toy.told() == [("standing", "well 69 C"), ("move", "usual")]


def test_heat_that_goes_before_it_has_moved_moves_it_nowhere() -> None:
    toy = Toy()
    toy.feel(Readings(celsius=85), Readings(celsius=85))
    toy.scene.floor.take(Event.VOICE)  # it cannot move now
    toy.feel(Readings(celsius=60))
    toy.scene.floor.take(Event.MUTE)
    toy.wait(PATIENCE_S)
    assert "move" not in dict(toy.told())


def test_heat_that_goes_while_it_moves_takes_it_back() -> None:
    toy, after = Toy(), Toy()
    toy.feel(Readings(celsius=85), Readings(celsius=85))
    toy.wait(PATIENCE_S)
    assert ("move", "smaller") in toy.told()
    toy.feel(Readings(celsius=60))
    after.body.take_over(toy.body.ladder, "smaller")
    after.wait(PATIENCE_S)
    assert after.told() == [("move", "usual")]


def test_a_board_that_has_nothing_smaller_stays_where_it_is() -> None:
    toy = Toy(may_move=False)
    assert toy.feel(Readings(celsius=85), Readings(celsius=85)) == ["I am warm."]
    toy.say_line()
    toy.scene.sounding = False
    toy.wait(PATIENCE_S)
    assert "move" not in dict(toy.told()) and toy.lengths[-1] < 1


def test_a_line_that_was_said_keeps_nobody_awake() -> None:
    toy = Toy(light=False)
    toy.feel(Readings(percent=18))
    toy.felt.now = None
    toy.wait(READ_S)
    assert toy.body.due() is None


def test_it_looks_at_its_battery_seldom_and_without_one_never() -> None:
    toy = Toy()
    for _ in range(100):
        toy.wait(READ_S / 50)
    assert toy.felt.asked == 2
    toy.felt.now = None
    toy.wait(READ_S)
    asked = toy.felt.asked
    toy.wait(100 * READ_S)
    assert toy.felt.asked == asked


def test_the_volume_is_told_and_remembered() -> None:
    toy = Toy()
    toy.switches.turn_volume(-3)
    toy.wait()
    assert toy.told() == [("volume", str(LOUDEST - 3))]
    assert toy.state.get(VOLUME) == LOUDEST - 3


def test_a_finger_feels_that_the_button_was_understood() -> None:
    toy = Toy()
    toy.switches.press(True)
    toy.wait()
    assert toy.case.shakes == [True]
    assert toy.body.due() == pytest.approx(min(SHAKE_S, READ_S))
    toy.wait(SHAKE_S)
    assert toy.case.shakes == [True, False]
    toy.switches.press(False)
    toy.wait(SHAKE_S)
    assert toy.case.shakes == [True, False]


def test_what_broke_is_more_important_than_anything() -> None:
    toy = Toy()
    toy.switches.mute(True)
    toy.switches.ask_off()
    toy.body.fail()
    toy.wait()
    assert toy.body.sign is Sign.TROUBLE and toy.light() == steady(Sign.TROUBLE)


def test_a_toy_without_a_card_shows_trouble_until_it_is_back() -> None:
    toy = Toy()
    toy.body.deaf = lambda: True
    toy.wait()
    assert toy.news() == [("light", "trouble")]
    toy.body.deaf = lambda: False
    toy.wait()
    assert toy.news() == [("light", "listening")] and toy.light() == steady(Sign.LISTENING)


@pytest.mark.parametrize("sign", Sign)
def test_every_sign_has_a_pattern_that_can_be_told_from_the_others(sign: Sign) -> None:
    pattern = PATTERNS[sign]
    others = [other for other in Sign if other is not sign]
    assert all(PATTERNS[other] != pattern for other in others)
    shades = [shade(pattern, pattern.period_s * n / 20) for n in range(20)]
    assert max(map(max, shades)) > 0 and all(0 <= part <= 1 for colour in shades for part in colour)
    assert pattern.moves == (len(set(shades)) > 1)
