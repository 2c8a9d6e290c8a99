"""Whose turn it is, by a detector that does what the test says; a window is 32 ms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from epsilon.company import Company
from epsilon.config.board import TurnRule
from epsilon.config.character import Idle
from epsilon.engines.protocols import Thought
from epsilon.floor import DOUBTING, LISTENING, PAUSING, SPEAKING
from epsilon.hardware import Switches
from epsilon.messages import Announcement, Message, News, Remark, Speech, Understood
from epsilon.ring import Bell, Ring, SampleRing
from epsilon.stages.playback import Playback
from epsilon.stages.vad import PREROLL_FRAMES, WINDOW_FRAMES, Vad
from epsilon.turn import Mark
from tests.rig import CountingCard, connect, place, take_all

RULE = TurnRule(threshold=0.5, hop_ms=320, min_speech_ms=96, prepare_ms=96, duck_ms=64, interrupt_ms=384)
IDLE = Idle(after_ms=3200, cooldown_ms=6400, most=2, lines=("Hello?", "Anybody there?"))
IDLE_WINDOWS = 100
SILENCE_WINDOWS = 20
PREPARE_WINDOWS = 3
ASIDE_WINDOWS = 10  # of silence, and the toy goes on


class Script:
    """Says what the sound says: a window of ones is speech, one of a tenth is speech from afar."""

    def __init__(self) -> None:
        self.closely: list[bool] = []

    def push(self, samples: np.ndarray, closely: bool = False) -> list[float]:
        self.closely.append(closely)
        return [float(samples.mean() > 0)]

    def reset(self) -> None: ...


class Timer:
    """The end of a turn after a silence, a longer one while the thought is not finished."""

    def __init__(self) -> None:
        self.pauses_ms: list[float] = []
        self.windows = 0

    def reset(self) -> None:
        self.windows = 0

    def push(self, samples: np.ndarray, voiced: bool) -> None:
        self.windows += 1

    def over(self, silence_ms: float, thought: Thought) -> float:
        return 0.5 if thought.finished is None else thought.finished

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        return 32.0 * SILENCE_WINDOWS * (2 if thought.finished == 0 else 1)

    def went_on(self, silence_ms: float) -> None:
        self.pauses_ms.append(silence_ms)


class Room:
    """A vad stage with a microphone to fill and a toy that may be speaking."""

    def __init__(self, hears_itself: bool = False, by_name: bool = False, **rules: str | float) -> None:
        self.microphone = SampleRing(10 * 16_000)
        where = place()
        self.turn = where.turn
        self.playback = Playback(where, CountingCard(hears_itself=hears_itself))
        self.timer = Timer()
        self.switches = Switches()
        company = Company("odette", by_name, IDLE, {"mm hm": np.zeros(800, np.float32)})
        rule = replace(RULE, **rules)  # type: ignore[arg-type]
        self.detector = Script()
        self.vad = Vad(
            where, self.microphone, self.detector, self.timer, rule, self.playback, company, self.switches
        )
        self.inbox, self.outbox, self.news = connect(self.vad)
        self.vad.murmurs = Ring(8, Bell())

    def pass_time(self, pattern: str) -> list[Message]:
        """'#' is a window of speech, '+' one that is fainter, '-' one of speech from afar, '.' one of silence."""
        for window in pattern:
            level = {"#": 1.0, "+": 0.2, "-": 0.1, ".": 0.0}[window]
            self.microphone.write(np.full(WINDOW_FRAMES, level, np.float32))
            self.vad.step()
        return take_all(self.outbox)

    def toy_speaks(self) -> None:
        self.playback.mark = self.playback.spoke = self.turn.now

    def toy_is_done(self) -> None:
        self.playback.mark = None

    def understands(self, text: str, finished: float | None = None, **facts: bool) -> list[Message]:
        """The mind says what it makes of the words so far."""
        self.inbox.put(Understood(self.vad.mark, tuple(text.split()), finished, **facts))
        self.vad.step()
        return take_all(self.outbox)

    def told(self) -> list[News]:
        return take_all(self.news)


def speeches(messages: list[Message]) -> list[Speech]:
    return [item for item in messages if isinstance(item, Speech)]


def test_a_turn_starts_with_speech_is_posted_every_hop_and_handed_over_after_the_silence() -> None:
    room = Room()
    said = speeches(room.pass_time("." * 20 + "#" * 31 + "." * SILENCE_WINDOWS))
    partials = [item for item in said if not item.paused and not item.last]
    assert [item.end_at - item.start_at for item in partials] == [6048, 11168, 16288], (
        "a hop, in whole windows"
    )
    assert said[-1].last and sum(item.last for item in said) == 1
    assert {item.mark for item in said} == {Mark(1, 0)}
    assert said[0].start_at == 20 * WINDOW_FRAMES - PREROLL_FRAMES
    assert said[-1].end_at == (51 + PREPARE_WINDOWS) * WINDOW_FRAMES
    assert room.timer.windows == 31 - 3 + SILENCE_WINDOWS, "the end-of-turn engine hears it all"


def test_it_is_calm_while_nobody_speaks_and_nobody_waits_for_an_answer() -> None:
    room = Room()
    assert not room.vad.calm, "before anything was heard"
    room.pass_time(".")
    assert room.vad.calm
    room.pass_time("#")
    assert not room.vad.calm, "speech may have begun"
    room.pass_time(".")
    assert room.vad.calm, "it was a click"
    room.pass_time("#" * 15)
    assert not room.vad.calm
    room.pass_time("." * SILENCE_WINDOWS)
    assert room.vad.floor.state is LISTENING and not room.vad.calm, "an answer is owed"
    room.toy_speaks()
    room.pass_time(".")
    assert not room.vad.calm, "it speaks"
    room.toy_is_done()
    room.pass_time(".")
    assert room.vad.calm


def test_an_answer_is_prepared_in_the_first_short_pause_and_the_gate_opens_at_the_end() -> None:
    room = Room()
    said = speeches(room.pass_time("#" * 15 + "." * PREPARE_WINDOWS))
    assert said[-1].paused and room.vad.floor.state is PAUSING
    assert not room.turn.is_committed(said[-1].mark)
    final = speeches(room.pass_time("." * SILENCE_WINDOWS))[-1]
    assert final.last and final.end_at == said[-1].end_at, "it covers no sound that was not yet heard"
    assert room.turn.is_committed(final.mark)


def test_a_pause_inside_the_thought_makes_the_prepared_answer_stale_and_is_learnt_from() -> None:
    room = Room()
    said = speeches(room.pass_time("#" * 15 + "." * (SILENCE_WINDOWS - 2) + "#" * 15))
    assert not any(item.last for item in said)
    assert room.turn.now == Mark(1, 1) == said[-1].mark
    assert room.timer.pauses_ms == [(SILENCE_WINDOWS - 2) * 32.0]


def test_a_click_in_a_pause_is_not_more_speech() -> None:
    room = Room()
    said = speeches(room.pass_time("#" * 15 + "." * 10 + "#" + "." * 9))
    assert said[-1].last and room.turn.now == Mark(1, 0)


def test_it_waits_longer_while_the_thought_is_not_finished() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * 5)
    room.understands("i like cake and", finished=0.0)
    assert speeches(room.pass_time("." * SILENCE_WINDOWS)) == []
    assert speeches(room.pass_time("." * SILENCE_WINDOWS))[-1].last


def test_what_was_understood_of_words_before_is_not_believed_of_these() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * 5)
    late = Understood(room.vad.mark, ("i",), finished=0.0)
    room.pass_time("#" * 15 + "." * 5)
    room.inbox.put(late)
    assert speeches(room.pass_time("." * SILENCE_WINDOWS))[-1].last


def test_who_goes_on_before_the_answer_sounded_goes_on_within_the_turn() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * SILENCE_WINDOWS + "....")
    room.pass_time("###")
    assert room.turn.now == Mark(1, 1) and room.vad.floor.state is SPEAKING


def test_where_no_answer_is_owed_new_speech_is_a_new_turn() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * SILENCE_WINDOWS)
    room.understands("hm", settles=True)
    room.pass_time("....###")
    assert room.turn.now == Mark(2, 0)


def test_an_answer_to_other_words_is_taken_back_and_the_words_are_asked_again() -> None:
    room = Room()
    final = speeches(room.pass_time("#" * 15 + "." * SILENCE_WINDOWS))[-1]
    (again,) = speeches(room.understands("good evening", changed=True))
    assert again.last and again.mark == Mark(1, 1)
    assert (again.start_at, again.end_at) == (final.start_at, final.end_at)
    assert room.turn.is_committed(again.mark)


def test_a_click_is_no_speech() -> None:
    room = Room()
    assert room.pass_time("..#..##..#....") == []
    assert room.turn.now == Mark(0, 0)


def test_a_sound_while_the_toy_speaks_makes_it_hold_its_breath_and_go_on() -> None:
    room = Room()
    room.toy_speaks()
    room.pass_time("##")
    assert room.turn.held and room.vad.floor.state is DOUBTING
    said = speeches(room.pass_time("##" + "." * ASIDE_WINDOWS))
    assert {item.mark for item in said} == {Mark(1, 0)}, "of a turn that has not begun"
    assert not room.turn.held and room.turn.now == Mark(0, 0) and room.vad.floor.state is LISTENING


def test_words_interrupt_and_sounds_of_assent_do_not() -> None:
    for text, turn in (("mm hm", 0), ("yeah", 0), ("no stop", 1)):
        room = Room()
        room.toy_speaks()
        room.pass_time("#####")
        room.understands(text.split()[0])
        room.pass_time("#")
        assert room.turn.now == Mark(0, 0), "a first guess at a sound is no word"
        room.understands(text)
        room.pass_time("#")
        assert room.turn.now.turn == turn, text
        assert room.turn.held == (turn == 0), text


def test_speech_that_does_not_stop_interrupts_without_any_word() -> None:
    room = Room()
    room.toy_speaks()
    room.pass_time("#" * 11)
    assert room.turn.now == Mark(0, 0)
    room.pass_time("#")
    assert room.turn.now.turn == 1 and not room.turn.held, "384 ms of speech are twelve windows"
    assert [item.at for item in room.told() if item.what == "speech"] == [0]


def test_a_voice_from_afar_does_not_make_it_hold_its_breath() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * SILENCE_WINDOWS)
    room.toy_speaks()
    room.pass_time("-" * 30)
    assert not room.turn.held and room.turn.now == Mark(1, 0)
    room.pass_time("##")
    assert room.turn.held


def test_a_word_may_begin_faintly_but_what_stays_faint_is_let_pass_and_then_not_trusted_for_a_while() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * SILENCE_WINDOWS)
    room.toy_speaks()
    room.pass_time("++")
    assert room.turn.held, "it may be the hiss of a first consonant"
    room.pass_time("+" * ASIDE_WINDOWS)
    assert not room.turn.held and room.turn.now == Mark(1, 0), "it was a television"
    room.pass_time("+" * 30)
    assert not room.turn.held
    room.pass_time("##")
    assert room.turn.held


def test_over_its_own_voice_it_listens_closely_and_must_be_surer() -> None:
    room = Room(threshold=0.5, sure=1.1)
    room.pass_time("#" * 15 + "." * SILENCE_WINDOWS)
    room.toy_speaks()
    room.pass_time("####")
    assert not room.turn.held and room.detector.closely[-4:] == [True] * 4
    assert not any(room.detector.closely[:-4])


def test_with_an_open_speaker_the_toy_does_not_interrupt_itself() -> None:
    room = Room(hears_itself=True)
    room.toy_speaks()
    room.pass_time("#" * 50)
    room.toy_is_done()
    room.pass_time("#" * 9 + "." * 5)
    assert room.turn.now == Mark(0, 0), "nor when the room still rings"
    room.pass_time("#" * 5)
    assert room.turn.now == Mark(1, 0)


def test_the_start_and_the_end_are_told_where_the_sound_was() -> None:
    room = Room()
    room.pass_time("." * 10 + "#" * 12 + "." * SILENCE_WINDOWS)
    told = {item.what: item.at for item in room.told()}
    assert told == {"speech": 10 * WINDOW_FRAMES, "end of turn": 22 * WINDOW_FRAMES}


def test_the_button_begins_a_turn_and_lets_nobody_end_it_until_it_is_let_go() -> None:
    room = Room(listen="push_to_talk")
    room.pass_time("#" * 30)
    assert room.turn.now == Mark(0, 0), "without the button nothing is for the toy"
    room.switches.press(True)
    room.pass_time("#" * 10 + "." * (3 * SILENCE_WINDOWS) + "#" * 5)
    assert room.turn.now.turn == 1 and not room.turn.is_committed(room.turn.now)
    room.switches.press(False)
    (final,) = speeches(room.pass_time("."))
    assert final.last and room.turn.is_committed(final.mark)
    assert final.end_at == (30 + 10 + 3 * SILENCE_WINDOWS + 5 + 1) * WINDOW_FRAMES, "heard to the last"


def test_the_button_interrupts_the_toy_at_once() -> None:
    room = Room(listen="push_to_talk")
    room.toy_speaks()
    room.pass_time("##")
    assert not room.turn.held
    room.switches.press(True)
    room.pass_time(".")
    assert room.turn.now == Mark(1, 0)


def test_switched_off_in_the_middle_of_a_turn_the_microphone_takes_it_along() -> None:
    room = Room()
    prepared = speeches(room.pass_time("#" * 15 + "." * PREPARE_WINDOWS))[-1]
    room.switches.mute(True)
    assert speeches(room.pass_time("." * 2 * SILENCE_WINDOWS)) == []
    assert room.turn.is_stale(prepared.mark) and not room.turn.is_committed(room.turn.now)
    assert room.vad.floor.state is LISTENING


def test_by_name_only_what_has_the_toys_name_in_it_is_answered() -> None:
    for text, answered in (("the weather is fine", False), ("odette how are you", True)):
        room = Room(by_name=True)
        room.pass_time("#" * 15 + "." * 5)
        assert speeches(room.pass_time("." * 2 * SILENCE_WINDOWS)) == [], "the words are not known yet"
        room.understands(text)
        finals = [item for item in speeches(room.pass_time(".")) if item.last]
        assert bool(finals) == answered == room.turn.is_committed(room.turn.now), text


def test_after_a_long_quiet_the_toy_begins_by_itself_but_not_for_ever() -> None:
    room = Room()
    remarks = [item for item in room.pass_time("." * IDLE_WINDOWS) if isinstance(item, Remark)]
    assert [item.mark for item in remarks] == [Mark(1, 0)] and room.turn.is_committed(Mark(1, 0))
    for _ in range(8):
        room.playback.spoke = room.turn.now
        remarks += [item for item in room.pass_time("." * IDLE_WINDOWS) if isinstance(item, Remark)]
    assert [item.text for item in remarks] in (["Hello?", "Anybody there?"], ["Anybody there?", "Hello?"])


def test_after_a_goodbye_it_waits_to_be_spoken_to() -> None:
    room = Room()
    room.pass_time("#" * 15 + "." * 5)
    room.understands("goodbye odette")
    room.pass_time("." * SILENCE_WINDOWS)
    room.understands("goodbye odette", settles=True)
    assert not any(isinstance(item, Remark) for item in room.pass_time("." * 3 * IDLE_WINDOWS))
    room.pass_time("#" * 15 + "." * 5)
    room.understands("hello again")
    room.pass_time("." * SILENCE_WINDOWS)
    room.understands("hello again", settles=True)
    assert any(isinstance(item, Remark) for item in room.pass_time("." * 3 * IDLE_WINDOWS))


def test_in_the_pauses_of_a_long_story_it_murmurs_and_takes_nobodys_turn() -> None:
    for finished, murmurs in ((0.1, 1), (0.9, 0)):
        room = Room()
        room.pass_time("#" * 200 + "." * 5)
        room.understands("and then we went home and", finished=finished)
        room.pass_time("." * 10)
        assert room.vad.murmurs is not None and len(room.vad.murmurs) == murmurs
        assert room.turn.now == Mark(1, 0) and not room.turn.is_committed(Mark(1, 0))


def test_a_short_one_is_listened_to_in_silence() -> None:
    room = Room()
    room.pass_time("#" * 50 + "." * 5)
    room.understands("and then", finished=0.1)
    room.pass_time("." * 10)
    assert room.vad.murmurs is not None and len(room.vad.murmurs) == 0


def test_who_presses_while_the_microphone_is_off_takes_no_word_from_the_toy() -> None:
    room = Room(listen="push_to_talk")
    room.toy_speaks()
    room.switches.mute(True)
    room.switches.press(True)
    room.pass_time("...")
    assert room.turn.now == Mark(0, 0)


def test_it_does_not_murmur_into_what_is_not_for_it() -> None:
    room = Room(by_name=True)
    room.pass_time("#" * 200 + "." * 5)
    room.understands("and then we went home and", finished=0.1)
    room.pass_time("." * 10)
    assert room.vad.murmurs is not None and len(room.vad.murmurs) == 0


def test_a_goodbye_that_is_understood_after_the_button_was_let_go_is_a_goodbye() -> None:
    room = Room(listen="push_to_talk")
    room.switches.press(True)
    room.pass_time("#" * 10)
    room.switches.press(False)
    room.pass_time(".")
    room.understands("goodbye", settles=True)
    assert not any(isinstance(item, Remark) for item in room.pass_time("." * 3 * IDLE_WINDOWS))


def announced(messages: list[Message]) -> list[str]:
    return [item.text for item in messages if isinstance(item, Remark)]


def test_what_the_body_has_to_say_waits_until_nobody_speaks() -> None:
    room = Room()
    room.pass_time("." * 5 + "#" * 10)
    room.inbox.put(Announcement(room.turn.now, "I am tired.", np.ones(5, np.float32)))
    assert not announced(room.pass_time("#" * 10 + "." * (SILENCE_WINDOWS - 1)))
    assert not announced(room.pass_time("." * 5)), "an answer is owed"
    room.toy_speaks()
    assert not announced(room.pass_time("." * 5))
    room.toy_is_done()
    (remark,) = [item for item in room.pass_time(".." + "." * 30) if isinstance(item, Remark)]
    assert (remark.text, remark.clip is not None) == ("I am tired.", True)
    assert room.vad.announced is not None
    assert room.vad.announced[1] == remark.mark == room.turn.committed
    assert room.vad.floor.state is LISTENING


@pytest.mark.parametrize("before", ["." * 5, "#" * 10, "#" * 10 + "." * (PREPARE_WINDOWS + 2)])
def test_what_cannot_wait_is_said_at_once_and_what_was_heard_is_forgotten(before: str) -> None:
    room = Room()
    room.pass_time("." * 5 + before)
    room.inbox.put(Announcement(room.turn.now, "Goodbye.", urgent=True))
    after = room.pass_time(".")
    assert announced(after) == ["Goodbye."] and not speeches(after)
    assert room.vad.floor.state is LISTENING and not room.turn.held


def test_a_goodbye_ends_what_the_toy_is_saying() -> None:
    room = Room()
    room.toy_speaks()
    room.pass_time("##")  # it holds its breath
    before = room.turn.now
    room.inbox.put(Announcement(before, "Goodbye.", urgent=True))
    assert announced(room.pass_time(".")) == ["Goodbye."]
    assert room.turn.is_stale(before) and not room.turn.held


def test_a_toy_that_is_muted_says_what_its_body_has_to_say() -> None:
    room = Room()
    room.switches.mute(True)
    room.inbox.put(Announcement(room.turn.now, "I am tired."))
    assert announced(room.pass_time("..")) == ["I am tired."]
