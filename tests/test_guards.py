"""When a recogniser's pass is doubted: a mean too low, no speech, text that repeats itself; loops are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from epsilon.engines.asr.guards import Limits, Pass, compression_ratio, loop_length, without_loop
from epsilon.engines.facts import Facts


@pytest.mark.parametrize(
    ("ids", "length"),
    [
        ([], 0),
        ([7], 0),
        ([7] * 8, 0),  # "no no no no" is speech
        ([7] * 9, 1),
        ([1, 2] * 4, 0),
        ([1, 2] * 5, 2),
        ([9, 1, 2, 3, 1, 2, 3, 1, 2, 3], 3),
        ([1, 2, 3, 1, 2, 3, 1, 2], 0),
        ([*range(8)] * 3, 8),
        ([*range(9)] * 3, 0),
        ([5] * 8 + [6], 0),
    ],
)
def test_a_run_that_repeats_itself_is_a_loop(ids: list[int], length: int) -> None:
    assert loop_length(ids) == length


def test_a_loop_is_said_once() -> None:
    assert without_loop([9, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], 2) == [9, 1, 2]
    assert without_loop([9, *[7] * 9], 1) == [9, 7]
    assert without_loop([*range(8)] * 3, 8) == [*range(8)]


def test_text_that_repeats_itself_packs_well() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("what does the moon taste like on a sunday") < 1.2
    assert compression_ratio("thank you for watching " * 8) > 2.4


@pytest.mark.parametrize(
    ("logprobs", "no_speech", "silent"),
    [
        ([-0.2], 0.0, False),
        ([-0.2, -2.2], 0.0, False),
        ([-1.3], 0.0, True),
        ([-1.1], 0.5, False),
        ([-1.1], 0.7, True),
        ([-0.9], 0.99, False),  # sure of its words: the token is wrong
        ([], 0.99, False),
    ],
)
def test_guesses_about_noise_are_silence(logprobs: list[float], no_speech: float, silent: bool) -> None:
    assert Limits().silent(Pass([5], logprobs, no_speech=no_speech)) is silent


def test_a_model_names_its_own_limits(tmp_path: Path) -> None:
    facts = tmp_path / "model.yaml"
    facts.write_text("min_logprob: -3\ntokens_per_second: 6\nno_speech: 50361\n")
    limits = Limits.from_facts(Facts(facts))
    assert limits == Limits(min_logprob=-3.0, tokens_per_second=6.0)
    assert limits.tokens(2.0) == 17
