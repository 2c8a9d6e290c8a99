"""The melody that is taught by rule, and the sentences made for it."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pytest

from epsilon.engines.tts.phonemes import convert
from epsilon.engines.tts.symbols import PAD
from tools.train.text.sentences import load
from tools.train.voice.prosody import CRY_LOUDER, SEMITONE, bend, clauses, falling, swing_of
from tools.train.voice.shapes import melodious

FRAMES = 8  # of each symbol
FLAT_HZ = 120.0
Floats = npt.NDArray[np.float32]


def taught(symbols: list[str]) -> tuple[Floats, Floats]:
    """What becomes of a teacher who hums on one note: semitones above it, and how much louder, of each frame."""
    durations = np.full(len(symbols), FRAMES)
    flat = np.full(FRAMES * len(symbols), np.log(FLAT_HZ), dtype=np.float32)
    bent, louder = bend(symbols, durations, flat, np.ones(len(flat), dtype=np.bool_))
    return (bent - np.log(FLAT_HZ)) / SEMITONE, louder


def height(text: str, mark: str) -> float:
    """Semitones at the last sound before the last such mark."""
    symbols = falling(convert(text))
    at = len(symbols) - 1 - symbols[::-1].index(mark)
    return float(taught(symbols)[0][at * FRAMES - 1])


def test_a_question_for_yes_or_no_rises() -> None:
    assert height("Do you like the rain?", "?") > 5
    assert height("The rain?", "?") > 5
    assert height("Well, is it far?", "?") > 5


def test_a_statement_falls_and_so_does_a_question_with_a_question_word() -> None:
    for text in ("You like the rain.", "It is far, and I am tired."):
        assert height(text, ".") < -3
    for text in ("Where do you live?", "And what did he say?", "Oh, why is that?", "What's in the box?"):
        assert height(text, ".") < -3


def test_a_comma_ends_in_a_small_rise_that_is_larger_in_lists() -> None:
    small, large = height("After supper, we sleep.", ","), height("Apples, yellow plums, and pears.", ",")
    assert 0 < small < large < 4


def test_an_exclamation_begins_its_fall_higher_and_is_louder() -> None:
    statement, cry = (taught(convert(f"What a lovely day{mark}")) for mark in ".!")
    assert cry[0].max() > statement[0].max() + 3
    assert np.ptp(cry[0]) > np.ptp(statement[0]) + 3
    assert cry[1].max() == pytest.approx(CRY_LOUDER)
    assert not statement[1].any()


def test_a_phrase_cut_in_mid_sentence_does_not_fall() -> None:
    cut = [symbol for symbol in convert("I think the old.") if symbol != "."]
    assert taught(cut)[0][-FRAMES - 1] >= 0


def test_each_sentence_has_its_own_tune() -> None:
    symbols = convert("Is it far? It is not.")
    height, _ = taught(symbols)
    assert height[symbols.index("?") * FRAMES - 1] > 5
    assert height[symbols.index(".") * FRAMES - 1] < -3


def test_clauses_know_their_place_and_what_closes_them() -> None:
    found = clauses([PAD, "AY1", ",", "Y", "UW1", " ", "W", "IY1", ".", "HH", "UW1", PAD])
    assert [(c.first, c.last, c.mark, c.place, c.of) for c in found] == [
        (1, 2, ",", 0, 2),
        (3, 8, ".", 1, 2),
        (9, 11, "", 0, 1),
    ]


def test_only_questions_with_a_question_word_are_spelt_as_statements() -> None:
    symbols = [
        PAD,
        *"HH UW1".split(),
        " ",
        *"IH1 Z".split(),
        "?",
        *"IH1 Z".split(),
        " ",
        *"IH1 T".split(),
        "?",
        PAD,
    ]
    marks = [symbol for symbol in falling(symbols) if symbol in ".?"]
    assert marks == [".", "?"]


def test_silence_stays_as_it_is() -> None:
    unvoiced = np.zeros(FRAMES * 4, dtype=np.bool_)
    log_f0 = np.full(FRAMES * 4, 4.8, dtype=np.float32)
    bent, louder = bend([PAD, "SH", "?", PAD], np.full(4, FRAMES), log_f0, unvoiced)
    assert (bent == log_f0).all() and not louder.any()


def test_flat_teachers_swing_wider_and_lively_ones_stay_as_they_are() -> None:
    wave = np.sin(np.linspace(0, 20, 400)).astype(np.float32)
    assert swing_of(0.05 * wave) == 2.0
    assert 1 < swing_of(0.15 * wave) < 2
    assert swing_of(0.4 * wave) == 1.0


def test_made_sentences_have_every_tune() -> None:
    rng, words = random.Random(0), load()
    made = [melodious(words, rng) for _ in range(200)]
    assert all("{" not in text and text[-1] in ".?!" for text in made)
    assert {text[-1] for text in made} == set(".?!")
    assert any(text.count(",") >= 2 for text in made)
