"""Where speech starts and ends, by a detector that does what the test says; a window is 32 ms."""

from __future__ import annotations

import numpy as np

from epsilon.config.board import TurnRule
from epsilon.messages import Message, Speech
from epsilon.ring import SampleRing
from epsilon.stages.playback import Playback
from epsilon.stages.vad import PREROLL_FRAMES, TAIL_FRAMES, WINDOW_FRAMES, Vad
from epsilon.turn import Mark
from tests.rig import CountingCard, connect, place, take_all

RULE = TurnRule(threshold=0.5, silence_ms=640, hop_ms=320, min_speech_ms=96, barge_in_ms=256)
SILENCE_WINDOWS = 20


class Script:
    """Says what the sound says: a window of ones is speech."""

    def push(self, samples: np.ndarray) -> list[float]:
        return [float(samples.mean())]

    def reset(self) -> None: ...


class Room:
    """A vad stage with a microphone to fill and a toy that may be speaking."""

    def __init__(self, hears_itself: bool = False) -> None:
        self.microphone = SampleRing(10 * 16_000)
        where = place()
        self.playback = Playback(where, CountingCard(hears_itself=hears_itself))
        self.vad = Vad(where, self.microphone, Script(), RULE, self.playback)
        _, self.outbox, self.news = connect(self.vad)

    def pass_time(self, pattern: str) -> list[Message]:
        """'#' is a window of speech, '.' one of silence."""
        for window in pattern:
            self.microphone.write(np.full(WINDOW_FRAMES, window == "#", np.float32))
            self.vad.step()
        return take_all(self.outbox)

    def toy_speaks(self) -> None:
        self.playback.mark = self.vad.turn.now


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
    assert said[-1].end_at == 51 * WINDOW_FRAMES + TAIL_FRAMES


def test_the_words_before_a_pause_are_heard_out_so_that_the_end_costs_nothing() -> None:
    said = speeches(Room().pass_time("#" * 15 + "." * SILENCE_WINDOWS))
    pauses = [item for item in said if item.paused]
    assert len(pauses) == 1
    assert pauses[0].end_at == said[-1].end_at, "the last message covers no sound that was not yet heard"


def test_a_pause_inside_the_thought_is_not_the_end() -> None:
    said = speeches(Room().pass_time("#" * 15 + "." * (SILENCE_WINDOWS - 2) + "#" * 15))
    assert not any(item.last for item in said)
    assert {item.mark.turn for item in said} == {1}


def test_a_click_is_no_speech() -> None:
    room = Room()
    assert room.pass_time("..#..##..#....") == []
    assert room.vad.turn.now == Mark(0, 0)


def test_while_the_toy_speaks_it_takes_more_to_interrupt() -> None:
    room = Room()
    room.toy_speaks()
    room.pass_time("#" * 7)
    assert room.vad.turn.now == Mark(0, 0)
    room.pass_time("#")
    assert room.vad.turn.now == Mark(1, 0), "256 ms of speech are eight windows"


def test_with_an_open_speaker_the_toy_does_not_interrupt_itself() -> None:
    room = Room(hears_itself=True)
    room.toy_speaks()
    room.pass_time("#" * 50)
    room.playback.mark = None
    room.pass_time("#" * 9 + "." * 5)
    assert room.vad.turn.now == Mark(0, 0), "nor when the room still rings"
    room.pass_time("#" * 5)
    assert room.vad.turn.now == Mark(1, 0)


def test_the_start_and_the_end_are_told_where_the_sound_was() -> None:
    room = Room()
    room.pass_time("." * 10 + "#" * 12 + "." * SILENCE_WINDOWS)
    told = {item.what: item.at for item in take_all(room.news)}
    assert told == {"speech": 10 * WINDOW_FRAMES, "end of turn": 22 * WINDOW_FRAMES}
