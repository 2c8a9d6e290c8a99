"""Squeezing the pocket ears without data, on a tiny network of random weights: recovered is better than fitted."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
pytestmark = pytest.mark.train

from epsilon.dsp.mel import LogMel  # noqa: E402
from tools.convert.asr import recovery, squeeze  # noqa: E402
from tools.convert.asr.adapters import squeezed  # noqa: E402
from tools.convert.asr.graph import Graph  # noqa: E402
from tools.convert.asr.recovery import Batch, Recipe, distance, held_out_distance  # noqa: E402
from tools.convert.asr.subjects import Pocket, Subject  # noqa: E402
from tools.evaluate.ears import load_engine, recordings  # noqa: E402
from tools.train.ears import tokens  # noqa: E402
from tools.train.ears.model import Ears, Shape  # noqa: E402

PEOPLE = Path(__file__).parent / "people"
RECIPE = Recipe(bits=2, group=32, rank=8, steps=40, rate=3e-3, calibration_batches=4)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network of random weights with its vocabulary."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("run")
    shape = Shape(vocabulary=64, encoder_layers=1, decoder_layers=2)
    ears = Ears(shape)
    ears.embedding.weight.data *= 5  # so that tokens differ in their chances
    torch.save({"shape": vars(shape), "model": ears.state_dict()}, folder / "checkpoint.pt")
    words = tokens.train(["what is a duck", "tell me a story", "who are you"], 64)
    words.save(str(folder / "tokenizer.json"))
    return folder / "checkpoint.pt"


@pytest.fixture(scope="module")
def subject(checkpoint: Path) -> Pocket:
    return Pocket(checkpoint)


@pytest.fixture(scope="module")
def forms(subject: Pocket, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The network in few bits: fitted, with untrained adapters, and recovered on random input."""
    moments = recovery.second_moments(subject, RECIPE.calibration_batches)
    recovered = recovery.squeeze(subject.model, moments, RECIPE)
    fitted, adapted = recovery.without_adapters(recovered), copy.deepcopy(recovered)
    recovery.recover(subject, recovered, RECIPE, tmp_path_factory.mktemp("saved") / "state.pt")
    return {"fitted": fitted, "adapted": adapted, "recovered": recovered}


def real_batch(subject: Subject) -> Batch:
    """Features of people's recordings, with tokens that the original makes of them."""
    found = []
    for utterance in recordings(PEOPLE)[:3]:
        mel = LogMel()
        mel.push(utterance.samples[:56_000].astype(np.float32) / np.float32(32768))
        found.append(mel.window(400)[0])
    mels = torch.from_numpy(np.stack(found))
    with torch.no_grad():
        sound = subject.sound(subject.model, mels)
        ids = torch.tensor([subject.start] * len(mels))
        for _ in range(8):
            ids = torch.cat([ids, subject.scores(subject.model, ids, sound)[:, -1:].argmax(-1)], 1)
    return Batch(mels, ids, torch.ones(ids.shape))


def test_every_layer_that_input_reaches_is_squeezed(forms: dict[str, Any]) -> None:
    names = {name for name, _ in squeezed(forms["recovered"])}
    assert {"encoder.0.own.query", "encoder.0.narrow", "decoder.0.cross.key", "decoder.0.widen"} <= names
    assert isinstance(forms["recovered"].ctc, torch.nn.Linear)  # of the training alone


def test_recovery_on_random_input_helps_on_other_random_input(subject: Pocket, forms: dict[str, Any]) -> None:
    found = {name: held_out_distance(subject, form, 4) for name, form in forms.items()}
    assert found["recovered"].states < 0.8 * found["fitted"].states
    assert found["recovered"].tokens < 0.8 * found["fitted"].tokens
    assert found["recovered"].states < 0.9 * found["adapted"].states  # it is the training that helps
    assert found["recovered"].cosine > found["fitted"].cosine


def test_recovery_on_random_input_helps_on_people(subject: Pocket, forms: dict[str, Any]) -> None:
    batch = real_batch(subject)
    with torch.no_grad():
        found = {name: distance(subject, form, batch) for name, form in forms.items()}
    assert found["recovered"].states < 0.9 * found["fitted"].states
    assert found["recovered"].tokens < 0.9 * found["fitted"].tokens
    assert found["recovered"].states < 0.9 * found["adapted"].states


def test_the_original_is_at_no_distance_from_itself(subject: Pocket) -> None:
    found = held_out_distance(subject, subject.model, 1)
    assert (found.states, found.tokens) == (0, 0)
    assert found.cosine == pytest.approx(1)


def test_a_broken_off_recovery_goes_on_where_it_was(
    subject: Pocket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(bits=2, steps=6, calibration_batches=1)
    moments = recovery.second_moments(subject, 1)
    whole, broken, fresh = (recovery.squeeze(subject.model, moments, recipe) for _ in range(3))
    recovery.recover(subject, whole, recipe, tmp_path / "whole.pt")
    monkeypatch.setattr(recovery, "_SAVE_S", -1.0)
    monkeypatch.setattr(recovery, "_TELL_S", -1.0)
    steps = []

    def stop(line: str) -> None:
        steps.append(line)
        if len(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recovery.recover(subject, broken, recipe, tmp_path / "state.pt", stop)
    recovery.recover(subject, fresh, recipe, tmp_path / "state.pt", steps.append)
    assert len(steps) == 4 + 3  # the fourth step was done and not saved
    for (_, one), (_, other) in zip(squeezed(whole), squeezed(fresh), strict=True):
        assert torch.allclose(one.down, other.down, atol=1e-6)
        assert torch.allclose(one.up, other.up, atol=1e-6)
    assert not list(tmp_path.iterdir())


def test_the_written_folder_runs_in_the_toys_engine(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    out = tmp_path / "squeezed"
    squeeze.run(checkpoint, out, Recipe(steps=2, calibration_batches=1), None, 1, told.append)
    _, header, text = (out / "card.md").read_text().split("---\n", 2)
    card = yaml.safe_load(header)
    assert card["bits"] == 4
    assert card["bytes"]["recovered"] < card["bytes"]["original"]
    assert "| recovered |" in text
    engine = load_engine(out)
    hearing = engine.start()
    engine.hear(hearing, np.random.default_rng(0).standard_normal(32_000, np.float32) / np.float32(10))
    engine.finish(hearing)
    assert [path.name for path in tmp_path.iterdir()] == ["squeezed"]


def test_a_draft_in_one_pass_gives_what_one_token_after_another_does(
    subject: Pocket, forms: dict[str, Any], tmp_path: Path
) -> None:
    squeeze.write_squeezed(subject, forms["recovered"], (4, 4), tmp_path, print)
    decoder, rng = Graph(tmp_path / "decoder.onnx"), np.random.default_rng(2)
    cross = {
        name: rng.standard_normal((2, 1, 4, 30, 64)).astype(np.float32) for name in ("cross_k", "cross_v")
    }
    x = rng.standard_normal((1, 6, 256)).astype(np.float32)
    empty = np.zeros((2, 1, 4, 0, 64), np.float32)
    whole = decoder({"x": x, "past_k": empty, "past_v": empty, **cross})
    past = {"past_k": empty, "past_v": empty}
    for place in range(6):
        one = decoder({"x": x[:, place : place + 1], **past, **cross})
        past = {"past_k": one["new_k"], "past_v": one["new_v"]}
        assert one["ids"][0, 0] == whole["ids"][0, place]
        assert one["logprobs"][0, 0] == pytest.approx(whole["logprobs"][0, place], abs=1e-4)


@pytest.mark.parametrize("arguments", [["nowhere.pt"], ["nowhere.pt", "--rank", "-1"]])
def test_what_cannot_be_done_is_one_message_and_leaves_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["squeeze", *arguments, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stopped:
        squeeze.main()
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_hugging_face_whisper_is_squeezed_too(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    from tools.convert.asr import random_checkpoint
    from tools.convert.asr.subjects import Whisper

    random_checkpoint.make(tmp_path / "source", random_checkpoint.SHAPES["miniature.en"])
    subject = Whisper(tmp_path / "source")
    assert subject.random
    recipe = Recipe(bits=2, steps=30, calibration_batches=3, rate=3e-3)
    recovered = recovery.squeeze(subject.model, recovery.second_moments(subject, 3), recipe)
    fitted = recovery.without_adapters(recovered)
    recovery.recover(subject, recovered, recipe, tmp_path / "state.pt")
    assert held_out_distance(subject, recovered, 2).states < held_out_distance(subject, fitted, 2).states
    assert not any(isinstance(layer.cross.query, torch.nn.Linear) for layer in recovered.decoder.layers)
    squeeze.write_squeezed(subject, recovered, (4, 4), tmp_path, print)
    assert (tmp_path / "encoder.onnx").exists()
