"""The lead is kept, an interruption is silent at once, and only what left the card counts as heard."""

from __future__ import annotations

import numpy as np

from epsilon.messages import Heard, Sound
from epsilon.stages.playback import Playback
from epsilon.turn import Mark
from tests.rig import CountingCard, connect, place, take_all

SECOND = 16_000


def sound(mark: Mark, index: int, text: str, frames: int, last: bool = False) -> Sound:
    return Sound(mark, index, text, np.full(frames, 0.5, np.float32), phrase_ends=True, last=last)


def playing(*sounds: Sound) -> tuple[Playback, CountingCard]:
    card = CountingCard(lead_frames=1600)
    stage = Playback(place(), card)
    inbox, _, _ = connect(stage)
    for item in sounds:
        inbox.put(item)
    stage.step()
    return stage, card


def heard(stage: Playback) -> list[Heard]:
    assert stage.outbox is not None
    return [item for item in take_all(stage.outbox) if isinstance(item, Heard)]


def test_the_card_is_never_fed_beyond_its_lead() -> None:
    stage, card = playing(sound(Mark(0, 0), 0, "one two", SECOND, last=True))
    assert card.pending() == 1600
    card.play(500)
    stage.step()
    assert card.pending() == 1600
    assert card.in_reply


def test_a_reply_played_to_its_end_was_heard_whole() -> None:
    stage, card = playing(
        sound(Mark(0, 0), 0, "Well,", 1000), sound(Mark(0, 0), 1, "there you are.", 1000, last=True)
    )
    while stage.sounding:
        card.play(400)
        stage.step()
    assert heard(stage) == [Heard(Mark(0, 0), "Well, there you are.", complete=True)]
    assert sum(map(len, card.written)) == 2000
    assert not card.in_reply


def test_after_an_interruption_only_what_left_was_said() -> None:
    stage, card = playing(
        sound(Mark(0, 0), 0, "One,", 1000), sound(Mark(0, 0), 1, "two three four five.", 4000, last=True)
    )
    card.play(1500)
    stage.step()
    card.play(1500)
    stage.turn.next()
    stage.step()
    assert heard(stage) == [Heard(Mark(0, 0), "One, two three", complete=False)]
    assert not stage.sounding and card.pending() == 0


def test_sound_of_an_older_turn_never_reaches_the_card() -> None:
    stage, card = playing()
    stage.turn.next()
    stage.inboxes[0].put(sound(Mark(0, 0), 0, "late", 1000, last=True))
    stage.step()
    assert not card.written
    assert stage.counts.stale == 1


def test_the_answer_starts_at_its_first_audible_sample() -> None:
    quiet_start = np.concatenate([np.zeros(300, np.float32), np.full(300, 0.5, np.float32)])
    stage, _ = playing(Sound(Mark(0, 0), 0, "hm", quiet_start, phrase_ends=True, last=True))
    assert stage.news is not None
    told = {item.what: item for item in take_all(stage.news)}
    assert told["answer"].at == 300
    assert told["says"].text == "hm"


def test_it_wakes_when_a_little_of_the_lead_is_played_and_when_the_reply_has_left() -> None:
    stage, card = playing(sound(Mark(0, 0), 0, "a", 1700, last=True))
    assert stage.due() == card.block_frames / SECOND  # an eighth of this lead is less than a block
    card.play(1000)
    stage.step()
    assert stage.due() == 700 / SECOND
    card.play(700)
    stage.step()
    assert stage.due() is None
