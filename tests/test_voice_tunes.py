"""The tunes of the shipped voice: questions rise, lists go on, exclamations are louder, pitch is what was asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from epsilon.config.models import Model
from epsilon.engines.protocols import Chunk, Delivery
from epsilon.engines.tts import styletts2
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.evaluate.voice import HOP_SAMPLES
from tools.evaluate.voice.faults import level_db
from tools.evaluate.voice.pitch import semitones, track

SHIPPED = Path("models/pocket/voice")
STYLES = ("bright", "low", "middle")
LAST_FRAMES = 16  # with a pitch: the tracker may be an octave off in the last few, where the sound dies away
Floats = npt.NDArray[np.float32]
Heights = npt.NDArray[np.float64]


@cache
def voice() -> styletts2.StyleTts2:
    """The toy's engine on the shipped files."""
    return styletts2.load(Model("x", SHIPPED, "tts", "styletts2", "", "", "", {}), onnx, Seat())


def chunks(text: str, style: str, pitch: float = 0.0, more: bool = False) -> list[Chunk]:
    """What the voice gives."""
    delivery = Delivery(voice().styles[style], pitch=pitch)
    return list(voice().speak(voice().spell(text, more).symbols, delivery))


def said(text: str, style: str, pitch: float = 0.0, more: bool = False) -> Floats:
    """Samples."""
    return np.concatenate([chunk.samples for chunk in chunks(text, style, pitch, more)])


def melody(
    text: str, style: str, pitch: float = 0.0, more: bool = False
) -> tuple[list[str], npt.NDArray[np.int64], Heights]:
    """Symbols, the last frame of each, and F0 in Hz of each frame as it is heard, 0 where there is none."""
    spoken = chunks(text, style, pitch, more)
    ends = np.array(spoken[0].ends) // HOP_SAMPLES
    return (
        list(voice().spell(text, more).symbols),
        ends,
        track(np.concatenate([chunk.samples for chunk in spoken])),
    )


def end_hz(text: str, style: str, mark: str = "", more: bool = False) -> float:
    """F0 before the first such mark, or at the end of the phrase: the median of its last LAST_FRAMES."""
    symbols, ends, f0_hz = melody(text, style, more=more)
    last = int(ends[symbols.index(mark) - 1]) if mark else len(f0_hz)
    return float(np.median(f0_hz[:last][f0_hz[:last] > 0][-LAST_FRAMES:]))


@pytest.mark.parametrize("style", STYLES)
class TestTunes:
    """Each of the three voices."""

    def test_a_question_for_yes_or_no_ends_above_a_statement(self, style: str) -> None:
        pairs = (
            ("Do you live here?", "You live here."),
            ("Are you ready?", "You are ready."),
            ("Would you like some soup?", "You would like some soup."),
        )
        rises = [end_hz(question, style) / end_hz(statement, style) for question, statement in pairs]
        assert min(rises) > 1.05 and np.median(rises) > 1.2

    def test_a_question_with_a_question_word_falls_as_a_statement_does(self, style: str) -> None:
        for asks, statement, open_question in (
            ("Where do you live?", "You live here.", "Do you live here?"),
            ("What did the old bear say?", "The old bear said it.", "Did the old bear say it?"),
            ("And why are you ready?", "You are ready.", "Are you ready?"),
        ):
            assert end_hz(asks, style) < 1.1 * end_hz(statement, style)
            assert end_hz(asks, style) < end_hz(open_question, style)

    def test_items_of_a_list_end_higher_than_the_last(self, style: str) -> None:
        text = "We saw apples, yellow plums, and pears."
        assert end_hz(text, style, ",") > 1.15 * end_hz(text, style, ".")

    def test_an_exclamation_is_louder(self, style: str) -> None:
        cry, statement = (said(f"What a lovely day{mark}", style) for mark in "!.")
        assert level_db(cry) > level_db(statement) + 1

    def test_an_exclamation_reaches_further_and_higher(self, style: str) -> None:
        wider, higher = [], []
        for text in ("What a lovely day", "The old bear has run away", "We found the yellow plums"):
            statement, cry = (
                semitones(f0[f0 > 0]) for f0 in (melody(text + mark, style)[2] for mark in ".!")
            )
            wider.append(np.ptp(np.percentile(cry, (5, 95))) - np.ptp(np.percentile(statement, (5, 95))))
            higher.append(np.median(cry) - np.median(statement))
        assert np.median(wider) > 1 and np.median(higher) > 1

    def test_a_phrase_cut_in_mid_sentence_does_not_fall_as_a_statement_does(self, style: str) -> None:
        cut, whole = "I think the old bear", "I think the old bear."
        assert end_hz(cut, style, more=True) > 1.1 * end_hz(whole, style)

    def test_pitch_moves_all_of_the_melody(self, style: str) -> None:
        text = "A long and quiet afternoon by the river."
        own = melody(text, style)[2]
        for shift in (-4.0, 4.0):
            moved = melody(text, style, shift)[2]
            both = (own > 0) & (moved > 0)
            assert np.median(moved[both] / own[both]) == pytest.approx(2 ** (shift / 12), rel=0.01)


def test_a_phrase_cut_in_mid_sentence_ends_in_silence() -> None:
    for style in STYLES:
        assert np.abs(said("I think the old", style, more=True)[-16:]).max() < 0.05
