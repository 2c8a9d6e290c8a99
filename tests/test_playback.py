"""The lead is kept, an interruption is silent at once, and only what left the card counts as heard."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from epsilon.clock import ManualClock
from epsilon.config.board import load_board
from epsilon.config.character import VoiceSettings
from epsilon.hardware import Switches
from epsilon.messages import Heard, Murmur, Phrase, Sound
from epsilon.parts import load_engine
from epsilon.ring import Bell
from epsilon.stages.playback import Playback
from epsilon.stages.tts import Tts
from epsilon.turn import Mark
from epsilon.volume import LOUDEST, gain_of
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


TEXT = "ten words that take two seconds to be said slowly"
CHUNK = SECOND // 5
ENDS = tuple(SECOND * place // 5 for place in range(1, 11))


def chunks(mark: Mark, index: int = 0, last: bool = False) -> list[Sound]:
    """Two seconds of voice in chunks of 200 ms, and the word that they were all."""
    samples = np.full(CHUNK, 0.5, np.float32)
    made = [Sound(mark, index, TEXT, samples, False, False, word_ends=ENDS) for _ in range(10)]
    return [*made, Sound(mark, index, TEXT, samples[:0], True, last)]


def speak(stage: Playback, card: CountingCard, sounds: list[Sound], chunk_s: float) -> tuple[float, int]:
    """A voice that needs `chunk_s` for a chunk; how long playback waited, and how often the card ran dry since."""
    clock = stage.clock
    assert isinstance(clock, ManualClock)
    first_s, started_s, dry = clock.now(), math.inf, 0
    end = card.left_frames + sum(len(item.samples) for item in sounds)
    for item in sounds:
        stage.inboxes[0].put(item)
        stage.step()
        end_s = clock.now() + (chunk_s if len(item.samples) else 0)
        while clock.now() < end_s:
            if card.pending() and started_s == math.inf:
                started_s = clock.now()
            clock.advance_to(clock.now() + 0.01)
            dry += started_s < math.inf and card.pending() < 160 and card.left_frames + card.pending() < end
            card.play(160)
            stage.step()
    return started_s - first_s, dry


def test_a_voice_made_faster_than_it_sounds_starts_with_its_second_chunk_and_from_then_on_at_once() -> None:
    stage, card = playing()
    waited_s, dry = speak(stage, card, chunks(Mark(0, 0)), 0.05)
    assert waited_s == pytest.approx(0.05) and dry == 0
    card.play(2 * SECOND)
    stage.step()
    assert speak(stage, card, chunks(Mark(0, 0), 1, last=True), 0.05)[0] == 0


def test_a_voice_made_more_slowly_waits_as_long_as_it_needs_and_does_not_run_dry() -> None:
    stage, card = playing()
    waited_s, dry = speak(stage, card, chunks(Mark(0, 0)), 0.4)
    assert 1.8 <= waited_s < 2.5  # made in 3.6 s after the first chunk, the last is due 1.8 s after the start
    assert dry == 0


def test_a_short_first_chunk_waits_until_a_long_second_one_is_made_in_time() -> None:
    stage, card = playing()
    speak(stage, card, chunks(Mark(0, 0)), 0.1)  # twice as fast as it sounds
    while card.pending():
        card.play(SECOND)
        stage.step()
    sizes = (SECOND // 20, *[SECOND // 5] * 9)
    sounds = chunks(Mark(0, 0), 1, last=True)
    begun = [replace(item, samples=item.samples[:size]) for item, size in zip(sounds, sizes, strict=False)]
    waited_s, dry = speak(stage, card, [*begun, sounds[-1]], 0.1)
    assert 0.05 <= waited_s < 0.2 and dry == 0


def test_what_it_learnt_of_the_board_is_kept_over_turns() -> None:
    stage, card = playing()
    for turn in range(3):
        waited_s, dry = speak(stage, card, chunks(Mark(turn, 0), last=True), 0.4)
        card.play(2 * SECOND)
        stage.turn.next()
        stage.turn.commit()
        stage.step()
        assert 1.8 <= waited_s < 2.5 and dry == 0


def test_in_lock_step_everything_is_made_at_once() -> None:
    _, card = playing(*chunks(Mark(0, 0), last=True))
    assert card.pending() == card.lead_frames


def test_it_wakes_when_a_phrase_that_waits_is_ready() -> None:
    stage, _ = playing(chunks(Mark(0, 0))[0])
    assert stage.due() is None  # nothing is known: only the next chunk can tell
    assert isinstance(stage.clock, ManualClock)
    stage.clock.advance_to(0.4)
    stage.inboxes[0].put(chunks(Mark(0, 0))[1])
    stage.step()
    due_s = stage.due()
    assert due_s is not None and due_s > 1.8
    stage.clock.advance_to(due_s)
    assert stage.step() and stage.card.pending()


def test_a_silence_between_phrases_is_told_and_nobody_elses_fault() -> None:
    stage, card = playing(sound(Mark(0, 0), 0, "One,", 1000))
    card.play(1000)
    card.silence(480)
    stage.inboxes[0].put(sound(Mark(0, 0), 1, "two.", 1000))
    stage.step()
    stage.inboxes[0].put(sound(Mark(0, 0), 2, "Three.", 500, last=True))  # in time: no gap
    stage.step()
    assert stage.news is not None
    gaps = [item for item in take_all(stage.news) if item.what == "gap"]
    assert [(item.text, item.at) for item in gaps] == [("30.0", 1480)]
    assert card.phrases == 3


def test_after_an_interruption_words_count_as_the_voice_told() -> None:
    ends = (3000, 3500, 4000)
    item = Sound(
        Mark(0, 0), 0, "Hullabaloo, my dear.", np.full(4000, 0.5, np.float32), True, True, word_ends=ends
    )
    stage, card = playing(item)
    for _ in range(2):
        card.play(1600)
        stage.step()
    card.play(60)
    stage.turn.next()
    stage.step()
    (cut,) = heard(stage)
    assert cut.text == "Hullabaloo, my"


def test_the_voice_itself_tells_which_words_an_interruption_left_unsaid() -> None:
    tts = Tts(place(), load_engine(load_board("host"), "tts"), VoiceSettings(style="bram"))
    text = "I keep seven spoons in a drawer, and nobody touches them."
    sounds = [item for item in tts.work(Phrase(Mark(0, 0), 0, text, last=True)) if isinstance(item, Sound)]
    words, ends = text.split(), sounds[0].word_ends
    assert len(ends) == len(words) and ends[-1] <= sum(len(item.samples) for item in sounds)
    for said, end in enumerate(ends[:-1]):
        stage, card = playing(*sounds)
        while card.left() < end:
            card.play(min(320, end - card.left()))
            stage.step()
        stage.turn.next()
        stage.step()
        assert heard(stage) == [Heard(Mark(0, 0), " ".join(words[: said + 1]), complete=False)]


def test_what_is_not_committed_waits_and_what_nobody_wants_is_counted() -> None:
    stage, card = playing()
    first = stage.turn.next()
    stage.inboxes[0].put(sound(first, 0, "Well,", 1000))
    stage.step()
    assert card.pending() == 0 and not stage.sounding
    second = stage.turn.revise()
    stage.step()
    assert stage.news is not None
    assert [item.text for item in take_all(stage.news) if item.what == "discarded"] == ["samples=1000"]
    stage.inboxes[0].put(sound(second, 0, "Oh,", 600, last=True))
    stage.step()
    stage.turn.commit()
    stage.step()
    assert card.pending() == 600 and stage.sounding


def test_held_it_falls_silent_and_goes_on_where_it_was() -> None:
    stage, card = playing()
    ramp = np.linspace(0, 0.9, 3000, dtype=np.float32)
    stage.inboxes[0].put(Sound(Mark(0, 0), 0, "one two three", ramp, phrase_ends=True, last=True))
    stage.step()
    card.play(500)
    stage.turn.hold(True)
    stage.step()
    assert card.pending() == 0 and stage.sounding
    stage.step()
    assert card.pending() == 0, "it goes on holding"
    stage.turn.hold(False)
    while stage.sounding:
        stage.step()
        card.play(400)
    written = np.concatenate(card.written)
    joint = slice(500, 500 + 80)  # where it fades in again
    assert len(written) == len(ramp), "nothing is said twice and nothing left out"
    assert np.array_equal(np.delete(written, joint), np.delete(ramp, joint))
    assert heard(stage) == [Heard(Mark(0, 0), "one two three", complete=True)]
    assert stage.news is not None
    told = [item.what for item in take_all(stage.news)]
    assert told.count("ducks") == told.count("resumes") == 1 and "gap" not in told


def test_an_interruption_ends_what_is_held_and_what_was_not_heard_was_not_said() -> None:
    stage, card = playing(sound(Mark(0, 0), 0, "one two three four", 4000, last=True))
    card.play(1500)
    stage.turn.hold(True)
    stage.step()
    stage.turn.next()
    stage.turn.hold(False)
    stage.step()
    assert heard(stage) == [Heard(Mark(0, 0), "one two", complete=False)]
    assert card.pending() == 0 and not card.in_reply


def test_a_murmur_is_soft_and_never_keeps_a_reply_waiting() -> None:
    stage, card = playing()
    first = stage.turn.next()
    stage.inboxes[0].put(Murmur(first, "mm hm", np.full(3000, 0.5, np.float32)))
    stage.step()
    assert 0 < card.pending() <= card.lead_frames and card.written[0].max() < 0.2
    card.play(800)
    stage.inboxes[0].put(sound(first, 0, "Well,", 600, last=True))
    stage.turn.commit()
    stage.step()
    assert card.pending() == 600, "what was left of the murmur is gone"
    while stage.sounding:
        card.play(400)
        stage.step()
    assert heard(stage) == [Heard(first, "Well,", complete=True)]


def test_the_volume_is_that_of_the_switches_from_the_next_sound_on_and_never_jumps() -> None:
    switches, card = Switches(), CountingCard(lead_frames=1600)
    stage = Playback(place(), card, switches=switches)
    inbox, _, _ = connect(stage)
    inbox.put(sound(stage.turn.now, 0, "one", 800))
    stage.step()
    switches.turn_volume(-2)
    inbox.put(sound(stage.turn.now, 0, "one", 800))
    stage.step()
    first, second = card.written
    assert (first == 0.5).all(), "the loudest step leaves every sample as it is"
    assert np.abs(np.diff(np.concatenate((first, second)))).max() < 0.001
    assert second[-1] == pytest.approx(0.5 * gain_of(LOUDEST - 2))
    assert 20 * np.log10(second[-1] / 0.5) == pytest.approx(-6, abs=0.01)


def test_a_small_noise_is_as_loud_as_the_rest() -> None:
    switches, card = Switches(), CountingCard(lead_frames=1600)
    stage = Playback(place(), card, switches=switches)
    inbox, _, _ = connect(stage)
    for _ in range(2):
        inbox.put(Murmur(stage.turn.now, "mm hm", np.full(600, 0.5, np.float32)))
        stage.step()
        switches.turn_volume(-2)
    loud, soft = card.written
    assert soft[-1] == pytest.approx(loud[-1] * gain_of(LOUDEST - 2))


def test_a_volume_that_was_turned_down_before_is_no_matter_of_what_was_heard() -> None:
    switches, card = Switches(), CountingCard(lead_frames=1600)
    switches.turn_volume(-LOUDEST)
    stage = Playback(place(), card, switches=switches)
    inbox, _, news = connect(stage)
    inbox.put(sound(stage.turn.now, 0, "one", 800, last=True))
    stage.step()
    card.play(800)
    stage.step()
    assert [item.text for item in heard(stage)] == ["one"]
    assert [item.what for item in take_all(news)] == ["sound", "says", "answer", "heard"]


def test_it_says_when_the_toy_begins_to_speak_and_when_it_ends() -> None:
    bell, card = Bell(), CountingCard(lead_frames=1600)
    stage = Playback(place(), card)
    stage.watch(bell)
    inbox, _, _ = connect(stage)
    inbox.put(sound(stage.turn.now, 0, "one", 800, last=True))
    stage.step()
    assert bell.wait(0) and stage.sounding
    card.play(400)
    stage.step()
    assert not bell.wait(0)
    card.play(400)
    stage.step()
    assert bell.wait(0) and not stage.sounding
