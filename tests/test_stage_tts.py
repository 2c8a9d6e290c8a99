"""Tts: a phrase's chunks, then its end; and an end that does not click, whatever the voice does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from epsilon.config.character import VoiceSettings
from epsilon.engines.protocols import Chunk, Delivery, Spelt
from epsilon.messages import Phrase
from epsilon.stages.tts import END_FRAMES, Tts, ending_softly
from epsilon.turn import Mark
from tests.rig import connect, place, take_all
from tests.scripted import ScriptedVoice

ENDS = (500, 1000)


@pytest.mark.parametrize("size", [30, 400, 1000])
def test_a_voice_that_stops_in_mid_sound_is_faded_out(size: int) -> None:
    made = np.random.default_rng(1).uniform(0.5, 1, 1000).astype(np.float32)
    pieces = [(made[start : start + size], ENDS) for start in range(0, len(made), size)]
    soft = list(ending_softly(iter(pieces)))
    sound = np.concatenate([samples for samples, _ in soft])
    np.testing.assert_array_equal(sound[:-END_FRAMES], made[:-END_FRAMES])
    assert len(sound) == len(made) and abs(sound[-1]) < 1e-3
    assert all(word_ends == ENDS for _, word_ends in soft)


def test_nothing_stays_nothing() -> None:
    assert [len(samples) for samples, _ in ending_softly(iter(()))] == [0]


class Counting(ScriptedVoice):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.spelt: list[str] = []
        self.chunks = 0

    def spell(self, text: str, more: bool) -> Spelt:
        self.spelt.append(text)
        return super().spell(text, more)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        for chunk in super().speak(symbols, delivery):
            self.chunks += 1
            yield chunk


def test_warmed_up_it_has_spelt_and_spoken_and_nobody_heard_it() -> None:
    voice = Counting()
    stage = Tts(place(), voice, VoiceSettings(style="any"))
    _, outbox, news = connect(stage)
    stage.warm_up()
    assert len(set(voice.spelt)) == 1 and voice.chunks > 0
    assert not take_all(outbox) and not take_all(news)


def test_the_rest_of_a_question_with_a_question_word_falls() -> None:
    voice = Counting()
    stage = Tts(place(), voice, VoiceSettings(style="any"))
    mark, other = Mark(0, 0), Mark(1, 0)
    for phrase in (
        Phrase(mark, 0, "Where do you think the old", last=False, more=True),
        Phrase(mark, 1, "bear lives?", last=False),
        Phrase(mark, 2, "By the river?", last=True),
        Phrase(other, 0, "Where do you think the old", last=False, more=True),
        Phrase(mark, 0, "In a den?", last=True),
    ):
        list(stage.work(phrase))
    assert voice.spelt[1:3] == ["bear lives.", "By the river?"] and voice.spelt[-1] == "In a den?"
