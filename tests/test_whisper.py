"""What keeps a recogniser from hearing things: doubt, going in circles, more words than anybody can say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from epsilon.dsp.mel import LogMel
from epsilon.engines.asr.whisper import Whisper
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, Shape, onnx
from tests.models import tiny
from tests.sounds import vowels

END, FIRST_LETTER = 0, len(tiny.MARKS)


class Scripted:
    """A decoder that says token `say(place)` at each place, with one and the same confidence."""

    def __init__(self, say: Callable[[int], int], logprob: float = -0.1) -> None:
        self.say, self.logprob = say, logprob
        self.inputs: Mapping[str, Shape] = {"past_k": (1, 1, 1, "p", 64)}
        self.outputs: Mapping[str, Shape] = {}

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        past, count = feeds["past_k"].shape[3], feeds["x"].shape[1]
        ids = np.array([[self.say(place) for place in range(past, past + count)]])
        grown = np.zeros((1, 1, 1, past + count, 64), np.float32)
        return {"ids": ids, "logprobs": np.full(ids.shape, self.logprob), "new_k": grown, "new_v": grown}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.ears(tmp_path)
    facts = tmp_path / "model.yaml"
    facts.write_text(facts.read_text().replace("min_logprob: -20", "min_logprob: -1"))
    return tmp_path


def hear(
    folder: Path, decoder: Graph, seconds: float, draft: list[int] | None = None, keep: int = 0
) -> list[int]:
    mel = LogMel()
    mel.push(vowels(seconds))
    recognizer = Whisper(folder, onnx.load(folder / "encoder.onnx", Seat()), decoder)
    return recognizer.recognise(mel, draft or [], keep)


def letters(count: int) -> Callable[[int], int]:
    """Different letters, then the end."""
    return lambda place: FIRST_LETTER + place if place < count else END


def test_confident_words_are_heard(folder: Path) -> None:
    assert hear(folder, Scripted(letters(4)), 1.0) == [FIRST_LETTER + place for place in range(4)]


def test_a_guess_at_a_noise_is_nothing(folder: Path) -> None:
    assert hear(folder, Scripted(letters(4), logprob=-1.5), 1.0) == []


def test_doubt_after_a_certain_word_is_speech(folder: Path) -> None:
    draft = [FIRST_LETTER]
    assert hear(folder, Scripted(letters(4), logprob=-1.5), 1.0, draft, keep=1)[:1] == draft
    assert len(hear(folder, Scripted(letters(4), logprob=-1.5), 1.0, draft, keep=1)) == 4


@pytest.mark.parametrize("period", [1, 2, 5])
def test_going_in_circles_ends_after_one_round(folder: Path, period: int) -> None:
    assert hear(folder, Scripted(lambda place: FIRST_LETTER + place % period), 3.0) == [
        FIRST_LETTER + place for place in range(period)
    ]


def test_certain_words_survive_a_circle(folder: Path) -> None:
    draft = [FIRST_LETTER] * 3
    assert hear(folder, Scripted(lambda _: FIRST_LETTER), 1.0, draft, keep=3) == draft


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_nobody_speaks_that_fast(folder: Path, seconds: float) -> None:
    endless = Scripted(lambda place: FIRST_LETTER + place * place % 47)
    assert len(hear(folder, endless, seconds)) <= 10 * seconds + 5
