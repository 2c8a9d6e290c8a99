"""What keeps a recogniser from hearing things: doubt, going in circles, more words than anybody can say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from epsilon.dsp.mel import LogMel
from epsilon.engines.asr.whisper import Whisper
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, Shape, onnx
from tests.models import tiny
from tests.sounds import RATE_HZ, vowels

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
    return recognizer.recognise(mel, draft or [], keep).ids


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
    draft = [FIRST_LETTER] * 9
    assert hear(folder, Scripted(lambda _: FIRST_LETTER), 1.0, draft, keep=9) == draft


class Listening(Scripted):
    """A decoder that goes in circles while the sound it is given is short."""

    def __init__(self, needs: int) -> None:
        super().__init__(lambda place: FIRST_LETTER)
        self.needs, self.seen = needs, list[int]()

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        context = feeds["cross_k"].shape[3]
        self.seen.append(context)
        self.say = letters(3) if context >= self.needs else lambda place: FIRST_LETTER
        return super().__call__(feeds)


def test_circles_are_listened_to_once_more_in_a_longer_context(folder: Path) -> None:
    helped = Listening(needs=200)
    assert len(hear(folder, helped, 1.0)) == 3
    assert sorted(set(helped.seen)) == [100, 200]
    helpless = Listening(needs=999)
    assert hear(folder, helpless, 1.0) == [FIRST_LETTER]
    assert sorted(set(helpless.seen)) == [100, 200]


def test_no_speech_is_nothing_unless_the_words_are_sure(folder: Path) -> None:
    class Silent(Scripted):
        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            out = super().__call__(feeds)
            return out | {"no_speech": np.log(np.full(out["ids"].shape, 0.8))}

    facts = folder / "model.yaml"
    facts.write_text(facts.read_text().replace("min_logprob: -1", "min_logprob: -9"))
    assert hear(folder, Silent(letters(3), logprob=-1.2), 1.0) == []
    assert len(hear(folder, Silent(letters(3), logprob=-0.8), 1.0)) == 3


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_nobody_speaks_that_fast(folder: Path, seconds: float) -> None:
    endless = Scripted(lambda place: FIRST_LETTER + place * place % 47)
    assert len(hear(folder, endless, seconds)) <= 10 * seconds + 5


def test_what_may_not_come_first_is_forbidden_there_only(folder: Path) -> None:
    asked: list[tuple[int, int]] = []

    class Careful(Scripted):
        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            asked.append((feeds["past_k"].shape[3], int(feeds["first"][0])))
            return super().__call__(feeds)

    careful = Careful(letters(3))
    careful.inputs = {**careful.inputs, "first": (1,)}
    hear(folder, careful, 1.0)
    assert asked == [(0, 0), (1, -1), (2, -1), (3, -1)]


class Reading(Scripted):
    """Says one letter for every half second of sound that it is given, each at its place in the sound."""

    STEP = 25  # encoder frames

    def __init__(self) -> None:
        super().__init__(lambda place: END)

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        loud = np.abs(feeds["cross_v"][0, 0, 0]).sum(-1) > 0
        count = -(-int(loud.sum()) // self.STEP)
        self.say = letters(count)
        out = super().__call__(feeds)
        past = feeds["past_k"].shape[3]
        places = np.arange(past, past + out["ids"].shape[1]) * self.STEP + self.STEP // 2
        return out | {"frames": places[None]}


def test_an_utterance_that_grows_too_long_is_cut_after_a_settled_word(folder: Path) -> None:
    facts = folder / "model.yaml"
    facts.write_text(facts.read_text() + "max_s: 4\n")

    def encoder(feeds: Mapping[str, Array]) -> dict[str, Array]:
        mel = feeds["mel"][0]
        heard = (mel > mel.min() + 1e-6).any(axis=0).astype(np.float32)[::2]
        return dict.fromkeys(("cross_k", "cross_v"), np.tile(heard[None, None, None, :, None], 64))

    recognizer = Whisper(folder, cast(Graph, encoder), Reading())
    hearing, committed = recognizer.start(), list[str]()
    for second in range(11):
        hypothesis = recognizer.hear(hearing, vowels(1.0, seed=second))
        assert list(hypothesis.committed[: len(committed)]) == committed
        committed = list(hypothesis.committed)
        assert hearing.mel.samples <= 4.0 * RATE_HZ
    assert len(hearing.earlier) >= 6
    total = len(recognizer.finish(hearing).text.replace(" ", ""))
    assert 20 <= total <= 24  # two letters a second, none lost or heard twice but at the seams


class Compiled:
    """An encoder as an accelerator has it: for two lengths only."""

    def __init__(self, folder: Path, frames: tuple[int, ...]) -> None:
        self.graph = onnx.load(folder / "encoder.onnx", Seat())
        self.inputs, self.outputs = self.graph.inputs, self.graph.outputs
        self.fixed = {"mel": tuple((1, 80, count) for count in frames)}
        self.asked: list[int] = []

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.asked.append(feeds["mel"].shape[2])
        return self.graph(feeds)


def test_a_compiled_encoder_is_asked_for_its_own_lengths_only(folder: Path) -> None:
    encoder = Compiled(folder, (400, 800))
    recognizer = Whisper(folder, encoder, Scripted(letters(2)))
    for seconds in (0.5, 2.0, 5.0):
        mel = LogMel()
        mel.push(vowels(seconds))
        recognizer.recognise(mel, [])
    assert encoder.asked == [400, 400, 800]
    with pytest.raises(ModelError, match="contexts"):
        Whisper(folder, Compiled(folder, (333,)), Scripted(letters(2)))
