"""Every recogniser, on tiny random weights and on the models that ship.

A draft only saves time, committed words only grow, finishing costs no pass, and nothing is heard in nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.audio_files import read_audio
from epsilon.dsp.mel import LogMel
from epsilon.ring import Samples
from epsilon.runtimes import Array, Graph
from tests.found import engines, load, load_shipped, shipped
from tests.models.tiny import TINY
from tests.sounds import RATE_HZ, noise, silence, vowels

HOP_FRAMES = RATE_HZ * 32 // 100


@pytest.fixture(scope="module", params=[*engines("asr"), *shipped("asr")])
def recognizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param in shipped("asr"):
        return load_shipped(request.param)
    return load(TINY["asr"][request.param](tmp_path_factory.mktemp("ears")))


@pytest.fixture
def whisper(recognizer: Any) -> Any:
    """A recogniser that decodes tokens over graphs."""
    if not hasattr(recognizer, "_encoder"):
        pytest.skip("it has no graphs and takes no draft; its own tests are in tests/test_pocketsphinx.py")
    return recognizer


def speech() -> Samples:
    quiet = noise(0.3, 0.001)
    return np.concatenate([quiet, vowels(1.2, seed=1), quiet, vowels(0.9, seed=2), quiet])


def takes() -> list[Samples]:
    """The beginnings of the conversations that ship: what a trained model has something to say about."""
    paths = sorted((Path(__file__).parents[1] / "takes").glob("*/in.wav"))
    return [read_audio(path)[: 3 * RATE_HZ] for path in paths]


def mel_of(sound: Samples) -> LogMel:
    mel = LogMel()
    mel.push(sound)
    return mel


class Counting:
    """A graph that counts its calls."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.calls = graph, 0
        self.inputs, self.outputs = graph.inputs, graph.outputs

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.calls += 1
        return self.graph(feeds)


def test_a_draft_changes_nothing(whisper: Any) -> None:
    """Verifying the last hypothesis and going on is decoding from scratch, whatever the draft."""
    for sound in (speech(), *takes()):
        earlier: list[int] = []
        for end in range(HOP_FRAMES * 2, len(sound), HOP_FRAMES * 3):
            mel = mel_of(sound[:end])
            scratch = whisper.recognise(mel, []).ids
            wrong = [*scratch[: len(scratch) // 2], *reversed(scratch)]
            for draft in (earlier, scratch, wrong, scratch[:1]):
                assert whisper.recognise(mel, draft).ids == scratch
            earlier = scratch


def test_a_right_draft_needs_one_pass(whisper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for sound in (speech(), *takes(), vowels(0.8, seed=4)):
        mel = mel_of(sound)
        best = whisper.recognise(mel, [])
        if not best.circles:  # that is found out after the tokens that are kept, so it costs further passes
            break
    assert best.ids and not best.circles
    decoder = Counting(whisper._decoder.graph)
    monkeypatch.setattr(whisper._decoder, "graph", decoder)
    assert whisper.recognise(mel, best.ids).ids == best.ids
    assert decoder.calls == 1


def test_certain_tokens_are_kept(whisper: Any) -> None:
    mel = mel_of(speech())
    best = whisper.recognise(mel, []).ids
    other = whisper.recognise(mel_of(vowels(2, seed=5)), []).ids
    keep = min(2, len(other))
    assert whisper.recognise(mel, other, keep).ids[:keep] == other[:keep]
    assert whisper.recognise(mel, best, len(best) // 2).ids == best


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_committed_words_only_grow(recognizer: Any, seed: int) -> None:
    sound = np.concatenate([noise(0.2, 0.001), vowels(2.5, seed=seed), noise(0.2, 0.001)])
    hearing = recognizer.start()
    committed: tuple[str, ...] = ()
    for start in range(0, len(sound), HOP_FRAMES):
        hypothesis = recognizer.hear(hearing, sound[start : start + HOP_FRAMES])
        assert hypothesis.committed[: len(committed)] == committed
        committed = hypothesis.committed
        last = hypothesis
    final = recognizer.finish(hearing)
    assert final.committed == last.committed + last.tail and final.tail == ()


def test_finishing_costs_no_pass(whisper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hearing = whisper.start()
    whisper.hear(hearing, speech())
    encoder = Counting(whisper._encoder)
    monkeypatch.setattr(whisper, "_encoder", encoder)
    whisper.finish(hearing)
    whisper.hear(hearing, silence(0))
    assert encoder.calls == 0


def test_utterances_do_not_disturb_each_other(recognizer: Any) -> None:
    alone = recognizer.start()
    expected = [recognizer.hear(alone, piece) for piece in np.array_split(speech(), 4)]
    first, second = recognizer.start(), recognizer.start()
    found = []
    for piece in np.array_split(speech(), 4):
        found.append(recognizer.hear(first, piece))
        recognizer.hear(second, vowels(0.5, seed=9))
    assert found == expected


def test_nothing_is_heard_in_nothing(recognizer: Any) -> None:
    hearing = recognizer.start()
    assert recognizer.hear(hearing, silence(0.05)).text == ""
    assert recognizer.finish(recognizer.start()).text == ""


def test_speech_longer_than_the_encoder_keeps_its_beginning(whisper: Any) -> None:
    hearing = whisper.start()
    committed: tuple[str, ...] = ()
    seconds = int(whisper.longest_frames / 100 * 1.6)
    for second in range(seconds):
        hypothesis = whisper.hear(hearing, vowels(1, seed=second + 1))
        assert hypothesis.committed[: len(committed)] == committed
        committed = hypothesis.committed
    at_once = whisper.start()
    whisper.hear(at_once, np.concatenate([vowels(1, seed=second + 1) for second in range(seconds)]))
    whisper.finish(at_once)
