"""The ears' training: text, vocabulary and scores; speech, network and export where their tools are."""

from __future__ import annotations

import ctypes.util
import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from epsilon.emulation.word_errors import edits, word_error_rate
from tools.train.ears import tokens
from tools.train.speech import shards
from tools.train.speech.shards import Utterance
from tools.train.speech.synthesis import (
    evaluation_sentences,
    held_out_sentences,
    is_reserved,
    plain_lines,
    training_sentences,
)
from tools.train.text.sentences import MAX_WORDS, load

SENTENCES = load()
needs_flite = pytest.mark.skipif(
    not (ctypes.util.find_library("flite") and ctypes.util.find_library("espeak-ng")),
    reason="libflite1 and libespeak-ng1 are not installed",
)


def test_every_template_becomes_plain_words() -> None:
    rng = random.Random(1)
    sentences = list(islice(training_sentences(SENTENCES, rng), 3000))
    sentences += islice(held_out_sentences(SENTENCES, rng), 300)
    assert all(set(sentence) <= set(tokens.LETTERS) for sentence in sentences)
    assert all(1 <= len(sentence.split()) <= MAX_WORDS + 2 for sentence in sentences)


def test_the_same_seed_gives_the_same_sentences() -> None:
    draws = [list(islice(training_sentences(SENTENCES, random.Random(5)), 50)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_training_and_evaluation_share_no_sentence() -> None:
    trained = set(islice(training_sentences(SENTENCES, random.Random(2)), 5000))
    kept = set(islice(evaluation_sentences(SENTENCES, random.Random(2)), 200))
    assert not trained & kept
    assert all(is_reserved(sentence, SENTENCES) for sentence in kept)
    assert not set(SENTENCES.templates) & set(SENTENCES.held_out)


def test_foreign_lines_are_made_plain() -> None:
    assert plain_lines("Hello, Tom!\n\n  I'm  9 \nhello tom\n", SENTENCES) == ["hello tom", "i'm"]


def test_vocabulary_gives_back_what_it_was_given() -> None:
    tokenizer = tokens.train(islice(training_sentences(SENTENCES, random.Random(0)), 2000), 300)
    ids = tokenizer.encode("i don't know what's in zanzibar").ids
    assert tokens.text(tokenizer, [tokens.START, *ids, tokens.END]) == "i don't know what's in zanzibar"
    assert tokenizer.get_vocab_size() == 300


@pytest.mark.parametrize(
    ("said", "heard", "errors"), [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b", "", 2), ("a", "b a", 1)]
)
def test_word_errors(said: str, heard: str, errors: int) -> None:
    assert edits(said.split(), heard.split()) == errors
    assert word_error_rate([said], [heard]) == pytest.approx(100 * errors / len(said.split()))


def test_shards_come_back_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = [Utterance(f"hello {i}", "slt", rng.integers(-9, 9, 50 + i).astype(np.int16)) for i in range(3)]
    shards.write(tmp_path / "one", made)
    found = shards.read(tmp_path / "one.json")
    assert [(u.sentence, u.voice, u.samples.tolist()) for u in found] == [
        (u.sentence, u.voice, u.samples.tolist()) for u in made
    ]


@needs_flite
def test_voices_speak() -> None:
    from tools.train.speech.casting import Cast

    cast, rng = Cast(), random.Random(3)
    for _ in range(12):
        _, samples = cast.say("tell me a story about a dragon", rng)
        assert samples is not None
        assert 0.8 < samples.size / 16_000 < 5
        assert np.abs(samples).max() > 1000


def test_training_features_are_those_of_the_toy() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from epsilon.dsp.mel import LogMel
    from tools.train.ears.features import log_mel

    wave = np.random.default_rng(4).standard_normal(32_000).astype(np.float32) * 0.1
    wave[20_000:] = 0
    toy = LogMel()
    toy.push(wave[:20_000])
    np.testing.assert_allclose(log_mel(torch.from_numpy(wave[None])).numpy(), toy.window(200), atol=2e-3)


def test_a_step_lowers_the_loss_and_the_export_runs_in_the_toy(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    pytest.importorskip("onnx", reason="onnx is not installed")
    from tools.evaluate.ears import load_engine
    from tools.train.ears.export import export
    from tools.train.ears.training import Recipe, Training

    torch.set_num_threads(1)
    rng = np.random.default_rng(5)
    noise = [rng.integers(-3000, 3000, 24_000).astype(np.int16) for _ in range(160)]
    speech, run = tmp_path / "speech", tmp_path / "run"
    speech.mkdir()
    run.mkdir()
    shards.write(speech / "one", [Utterance("tell me a joke", "noise", wave) for wave in noise])
    tokenizer = tokens.train(["tell me a joke"] * 9, 60)
    tokenizer.save(str(run / "tokenizer.json"))
    training = Training(run, speech, tokenizer, Recipe(minutes=0.1, warm_up_steps=1))
    pair = training.shelf.utterances[-2:]
    first = training.learn(pair)
    assert min(training.learn(pair) for _ in range(4)) < first
    training.save()
    export(run, tmp_path / "model")
    engine = load_engine(tmp_path / "model")
    hearing = engine.start()
    engine.hear(hearing, noise[0].astype(np.float32) / np.float32(32768))
    assert isinstance(engine.finish(hearing).committed, tuple)
