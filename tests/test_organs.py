"""The ears alone hear every hop, however long the recogniser takes; the voice alone speaks as a reply is spoken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from epsilon import organs
from epsilon.config.board import load_board
from epsilon.config.character import Mood, load_character
from epsilon.engines.protocols import Chunk, Delivery, Hypothesis, Spelt
from epsilon.ring import Samples
from tests.scripted import PHONEME_FRAMES, LoudnessDetector, ScriptedEars, ScriptedVoice
from tests.sounds import silence, vowels


class Counter:
    """Counts its passes, each of which takes a while."""

    def __init__(self, pass_s: float) -> None:
        self.pass_s, self.passes = pass_s, 0

    def start(self) -> None:
        """No state."""

    def hear(self, hearing: None, samples: Samples) -> Hypothesis:
        self.passes += 1
        time.sleep(self.pass_s)
        return Hypothesis()

    def finish(self, hearing: None) -> Hypothesis:
        return Hypothesis(("done",))


def test_what_is_said_after_a_silence_is_heard_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    engines: dict[str, Any] = {"vad": LoudnessDetector(), "asr": ScriptedEars(["good morning", "and you"])}
    monkeypatch.setattr(organs, "load_engine", lambda board, stage: engines[stage])
    said = np.concatenate([vowels(2.0), silence(2.0), vowels(2.0)])
    assert organs.Ears(load_board("host")).words(said) == "good morning and you"


def passes(monkeypatch: pytest.MonkeyPatch, pass_s: float) -> int:
    counter = Counter(pass_s)
    engines: dict[str, Any] = {"vad": LoudnessDetector(), "asr": counter}
    monkeypatch.setattr(organs, "load_engine", lambda board, stage: engines[stage])
    assert organs.Ears(load_board("host")).words(vowels(3.0)) == "done"
    return counter.passes


def test_a_slow_recogniser_skips_no_hop(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passes(monkeypatch, 0.02) == passes(monkeypatch, 0.0) > 5


class Diary(ScriptedVoice):
    """Notes what it is asked to say, and how."""

    def __init__(self) -> None:
        self.spelt: list[tuple[str, bool]] = []
        self.deliveries: list[Delivery] = []

    def spell(self, text: str, more: bool) -> Spelt:
        self.spelt.append((text, more))
        return super().spell(text, more)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        self.deliveries.append(delivery)
        return super().speak(symbols, delivery)


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    diary = Diary()
    monkeypatch.setattr(organs, "load_engine", lambda board, stage: diary)
    return diary


def voice_of_somebody_sad(wet: bool = False) -> organs.Voice:
    bram = load_character("bram")
    moods = {"sad": Mood(speed=0.5, pitch=-2)}
    settings = replace(bram.voice, speed=1.0, pitch=1.0, moods=moods)
    return organs.Voice(load_board("host"), replace(bram, voice=settings), wet)


def test_the_voice_alone_speaks_in_the_phrases_of_a_reply(diary: Diary) -> None:
    samples = voice_of_somebody_sad().say("Well, a fox. <sad> Oh no.")
    assert diary.spelt == [("Well,", True), ("a fox.", False), ("Oh no.", False)]
    assert [(how.speed, how.pitch) for how in diary.deliveries] == [(1, 1), (1, 1), (0.5, -1)]
    assert len(samples) == PHONEME_FRAMES * len("Well,afox.Ohno.")


def test_the_voice_alone_may_be_in_a_mood_where_the_text_asks_for_none(diary: Diary) -> None:
    voice_of_somebody_sad().say("Well, a fox.", mood="sad")
    assert [how.speed for how in diary.deliveries] == [0.5, 0.5]


def test_an_opener_that_ends_in_a_comma_stays_up(diary: Diary) -> None:
    for text in ("Oh,", "Hm.", "Oh, no!"):
        voice_of_somebody_sad().dry(text)
    assert diary.spelt == [("Oh,", True), ("Hm.", False), ("Oh, no!", False)]
