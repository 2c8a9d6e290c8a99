"""A board that thinks slowly makes a small noise first; a quick one never does."""

from __future__ import annotations

import numpy as np

from epsilon.engines.llm.fillers import Fillers, Speeds

CLIPS = {"Hmm,": np.ones(10, np.float32), "Wait,": np.zeros(10, np.float32)}


def test_how_late_an_answer_will_be_follows_from_what_the_board_needs() -> None:
    fillers = Fillers(CLIPS, Speeds(prefill_s=0.01, token_s=0.1, voice_s=0.2), after_ms=700, words=5)
    assert fillers.wait_ms(owed=3) == 730


def test_one_that_will_be_there_soon_needs_no_filler() -> None:
    fillers = Fillers(CLIPS, Speeds(0.001, 0.002, 0.02), after_ms=700, words=5)
    assert fillers.choose(owed=20) is None


def test_no_filler_comes_twice_in_a_row() -> None:
    fillers = Fillers(CLIPS, Speeds(0.1, 0.2, 0.02), after_ms=700, words=5)
    chosen = [fillers.choose(owed=20) for _ in range(4)]
    texts = [filler[0] for filler in chosen if filler]
    assert texts == ["Wait,", "Hmm,", "Wait,", "Hmm,"]


def test_a_character_without_any_just_takes_its_time() -> None:
    assert Fillers({}, Speeds(1, 1, 1), after_ms=0, words=5).choose(owed=20) is None
