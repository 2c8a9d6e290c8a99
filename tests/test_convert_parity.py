"""A converted Whisper is the one that transformers runs: ids, attention, silence; int8 stays close.

Random weights in the shapes of public checkpoints; needs torch and transformers (the extra `convert`).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import yaml
from tokenizers import Tokenizer

from epsilon.config.models import File, Model, measure
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tests.sounds import noise, vowels
from tools.convert.asr import Converted, Options, convert
from tools.convert.asr.graph import Graph
from tools.convert.asr.greedy import Greedy, read
from tools.convert.asr.numbers import cosine

os.environ["HF_HUB_OFFLINE"] = "1"
torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.train

INPUTS, STEPS = 20, 16


class Made:
    """A random checkpoint and both conversions of it."""

    def __init__(self, folder: Path, shape: str, **options: Any) -> None:
        from tools.convert.asr import checkpoint, random_checkpoint

        self.source = folder / "source"
        random_checkpoint.make(self.source, random_checkpoint.SHAPES[shape])
        self.options = Options(min_context_s=2, **options)
        self.lines: list[str] = []
        exact = replace(self.options, precision="float32")
        self.exact = convert(self.source, folder / "exact", exact, self.lines.append)
        self.small = convert(self.source, folder / "small", self.options, self.lines.append)
        self.checkpoint = checkpoint.load(self.source, self.options)

    def ears(self, converted: Converted) -> Greedy:
        return read(converted.folder, self.checkpoint.start, self.checkpoint.end)

    def input(self, seed: int) -> np.ndarray:
        """Full-length features with a colour of their own: random networks hardly tell noises apart."""
        config, rng = self.checkpoint.model.config, np.random.default_rng(seed)
        bands, frames = config.num_mel_bins, 2 * config.max_source_positions
        colour, grain = rng.standard_normal((1, bands, 1)), rng.standard_normal((1, bands, frames))
        return (2 * colour + 0.3 * grain).astype(np.float32)


@pytest.fixture(scope="module", params=["miniature.en", "miniature"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("converted"), request.param)


def compare(made: Made) -> None:
    from tools.convert.asr.comparison import generated, stamped

    exact, small = made.ears(made.exact), made.ears(made.small)
    assert made.exact.random and made.small.random
    several, seeds, compared = set(), itertools.count(), 0
    while compared < INPUTS:
        mel = made.input(next(seeds))
        crossed = exact.encode(mel)
        ids = exact.decode(crossed, STEPS)
        if stamped(made.checkpoint, ids):
            continue
        compared += 1
        assert ids == generated(made.checkpoint, mel, STEPS)
        several.add(tuple(ids))
        rounded = small.encode(mel)
        assert min(cosine(rounded[name], array) for name, array in crossed.items()) >= 0.999
        draft = (*exact.start, *ids)
        found, wanted = small.step(draft, 0, crossed, None), exact.step(draft, 0, crossed, None)
        assert min(cosine(found[name], wanted[name]) for name in ("new_k", "new_v", "logprobs")) >= 0.999
    assert len(several) > INPUTS // 2, "inputs that differ give texts that differ"


def test_ids_are_those_of_generate_and_int8_is_close(made: Made) -> None:
    compare(made)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["tiny.en", "distil-small.en"])
def test_the_same_at_public_sizes(shape: str, tmp_path: Path) -> None:
    compare(Made(tmp_path, shape))


def test_attention_silence_and_suppression_are_those_of_the_network(made: Made) -> None:
    """Against a plain forward pass of transformers, at every position of a draft."""
    source, exact = made.checkpoint, made.ears(made.exact)
    mel = made.input(0)
    ids = (*source.start, *np.random.default_rng(6).integers(30, 1000, 40).tolist())
    with torch.no_grad():
        out = source.model(
            input_features=torch.from_numpy(mel),
            decoder_input_ids=torch.tensor([ids]),
            output_attentions=True,
        )
    found = exact.step(ids, 0, exact.encode(mel), None)
    heads = torch.stack([out.cross_attentions[layer][:, head] for layer, head in source.alignment])
    np.testing.assert_array_equal(found["frames"], heads.mean(0).argmax(-1).numpy())
    everything = torch.log_softmax(out.logits, -1)[:, :, source.suppression.no_speech]
    np.testing.assert_allclose(found["no_speech"], everything.numpy(), atol=1e-4)
    scores = out.logits.clone()
    scores[:, :, list(source.suppression.always)] = -float("inf")
    scores[:, len(source.start) - 1, list(source.suppression.at_start)] = -float("inf")
    best, wanted = torch.log_softmax(scores, -1).max(-1)
    np.testing.assert_array_equal(found["ids"], wanted.numpy())
    np.testing.assert_allclose(found["logprobs"], best.numpy(), atol=1e-4)


def test_what_may_not_come_first_may_come_later(made: Made) -> None:
    """Scores that favour the end of text: ruled out in the row `first`, chosen in every other."""
    decoder = made.checkpoint.decoder()
    size = made.checkpoint.model.config.vocab_size
    scores = torch.zeros(1, 3, size)
    scores[:, :, made.checkpoint.end] = 9
    scores[:, :, made.checkpoint.suppression.always[0]] = 99
    for first in (-1, 0, 2):
        ids = decoder.choose(scores, torch.tensor([first]))[0][0].tolist()
        assert [token == made.checkpoint.end for token in ids] == [row != first for row in range(3)]


def test_one_pass_is_token_by_token_in_int8(made: Made) -> None:
    from tools.convert.asr.comparison import one_pass

    small = made.ears(made.small)
    crossed = small.encode(made.input(0))
    check = one_pass(small, (*small.start, *range(100, 124)), crossed)
    assert check.passed, check.found


def test_the_toys_engine_hears_what_generate_does(made: Made, tmp_path: Path) -> None:
    from epsilon.engines.asr import whisper
    from tools.convert.asr.comparison import generated

    folder = tmp_path / "open"
    shutil.copytree(made.exact.folder, folder)
    facts = yaml.safe_load((folder / "model.yaml").read_text())
    facts |= {"min_logprob": -50, "max_no_speech": 1, "contexts": facts["contexts"][-1:]}
    (folder / "model.yaml").write_text(yaml.safe_dump(facts))
    model = Model("random", folder, "asr", "whisper", "none", "random", "tests", {})
    engine = whisper.load(model, onnx, Seat())
    heard = 0
    for seed in range(INPUTS):
        sound = noise(3, 0.05, seed) + vowels(3, seed=seed)
        hearing = engine.start()
        hearing.mel.push(sound)
        ids = engine.recognise(hearing.mel, []).ids
        wanted = generated(made.checkpoint, hearing.mel.window(2 * facts["contexts"][0]), len(ids) or 1)
        assert ids == wanted[: len(ids)]
        heard = max(heard, len(ids))
    assert heard >= 4, "a guard against loops ended every text"


def test_model_yaml_says_what_there_is(made: Made) -> None:
    facts = yaml.safe_load((made.small.folder / "model.yaml").read_text())
    assert facts["random_weights"] and facts["precision"] == "int8"
    assert facts["files"].keys() == {
        "encoder.onnx",
        "decoder.onnx",
        "embedding.npy",
        "positions.npy",
        "tokenizer.json",
    }
    assert all(measure(made.small.folder / name).sha256 == sum_ for name, sum_ in facts["files"].items())
    assert made.small.files["model.yaml"] == measure(made.small.folder / "model.yaml")
    assert all(isinstance(file, File) for file in made.small.files.values())
    assert "RANDOM" in (made.small.folder / "README.md").read_text()
    assert any("RANDOM" in line for line in made.lines)
    assert not [path.name for path in made.small.folder.parent.iterdir() if path.name.startswith(".")]


def test_int8_is_a_quarter_of_float32(made: Made) -> None:
    sizes = [
        sum(one.files[name].size for name in one.files if name.endswith("onnx"))
        for one in (made.small, made.exact)
    ]
    assert sizes[0] < 0.6 * sizes[1]  # of a miniature; the convolutions stay as they are


def changed(made: Made, folder: Path, name: str, **values: Any) -> Path:
    """A copy of the checkpoint whose file has other values; None takes one away."""
    shutil.copytree(made.source, folder)
    content = json.loads((folder / name).read_text()) | values
    (folder / name).write_text(
        json.dumps({key: value for key, value in content.items() if value is not None})
    )
    return folder


def test_without_alignment_heads_the_later_half_stands_in(made: Made, tmp_path: Path) -> None:
    lines: list[str] = []
    source = changed(made, tmp_path / "source", "generation_config.json", alignment_heads=None)
    done = convert(source, tmp_path / "out", made.options, lines.append)
    assert any("later half" in line for line in lines)
    assert "alignment_heads" not in yaml.safe_load((done.folder / "model.yaml").read_text())


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("config.json", {"model_type": "bert"}, "is a bert, not a whisper"),
    ("config.json", {"activation_function": "relu"}, "activation relu"),
    ("tokenizer.json", {"added_tokens": []}, "its tokenizer lacks|does not know the language"),
]


@pytest.mark.parametrize(("name", "values", "message"), REFUSED)
def test_what_is_no_whisper_is_refused_and_nothing_is_written(
    made: Made, tmp_path: Path, name: str, values: dict[str, Any], message: str
) -> None:
    source = changed(made, tmp_path / "source", name, **values)
    with pytest.raises(ModelError, match=message):
        convert(source, tmp_path / "out", made.options, lambda line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_weights_from_before_safetensors_are_read(made: Made, tmp_path: Path) -> None:
    from tools.convert.asr.checkpoint import load

    source = changed(made, tmp_path / "source", "config.json")
    state = {name: weights.clone() for name, weights in made.checkpoint.model.state_dict().items()}
    torch.save(state, source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    weights = load(source, made.options).model.model.decoder.embed_tokens.weight
    assert torch.equal(weights, made.checkpoint.model.model.decoder.embed_tokens.weight)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json"])
def test_a_missing_file_is_named(made: Made, tmp_path: Path, name: str) -> None:
    source = changed(made, tmp_path / "source", "config.json")
    (source / name).unlink()
    with pytest.raises(ModelError, match=f"there is no {name}"):
        convert(source, tmp_path / "out", made.options, lambda line: None)


def test_damaged_weights_are_named(made: Made, tmp_path: Path) -> None:
    source = changed(made, tmp_path / "source", "config.json")
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="source: transformers cannot load it"):
        convert(source, tmp_path / "out", made.options, lambda line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_failed_check_leaves_what_was_there(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.convert.asr import comparison

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("before")
    monkeypatch.setattr(comparison, "LEAST_COSINE", 1.1)
    with pytest.raises(ModelError, match="check failed: encoder, int8"):
        convert(made.source, tmp_path / "out", made.options, lambda line: None)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]
    monkeypatch.undo()
    convert(made.source, tmp_path / "out", made.options, lambda line: None)
    assert not (tmp_path / "out" / "mine.txt").exists() and (tmp_path / "out" / "encoder.onnx").exists()


def test_words_and_contexts_decide_with_weights_that_mean_something(made: Made, tmp_path: Path) -> None:
    """The miniature said not to be random: it hears nonsense, but on the way of a real checkpoint."""
    from tools.convert.asr.comparison import same_words
    from tools.convert.asr.sound import clips

    (tmp_path / "speech").mkdir()
    for seconds in (1.0, 2.2, 3.4):
        soundfile.write(tmp_path / "speech" / f"{seconds}.wav", vowels(seconds), 16_000)
    source = changed(made, tmp_path / "source", "config.json", random_weights=None)
    options = Options(precision="float32", calibration=tmp_path / "speech")
    lines: list[str] = []
    done = convert(source, tmp_path / "out", options, lines.append)
    assert not done.random
    told = [line.split(":")[0].strip() for line in lines if "clips" in line]
    assert told == [f"context {seconds:g} s" for seconds in options.contexts_s if seconds <= 4]
    facts = yaml.safe_load((done.folder / "model.yaml").read_text())
    assert facts["contexts"][0] == facts["min_context"] and facts["contexts"][-1] == 200
    ears, vocabulary = made.ears(made.exact), Tokenizer.from_file(str(made.exact.folder / "tokenizer.json"))
    same = same_words(made.checkpoint, ears, ears, clips(options.calibration), vocabulary)
    assert same.passed and same.found.startswith("0 of ")
    other = replace(ears, embedding=ears.embedding[::-1])
    assert not same_words(made.checkpoint, other, ears, clips(options.calibration), vocabulary).passed


def test_a_language_is_chosen_where_there_are_several(made: Made) -> None:
    from tools.convert.asr.checkpoint import load, special_tokens

    marks = special_tokens(made.source)
    names = {id_: name for name, id_ in marks.items()}
    if len(made.checkpoint.start) == 2:
        with pytest.raises(ModelError, match="knows English alone, not 'de'"):
            load(made.source, Options(language="de"))
        return
    start = load(made.source, Options(language="de", task="translate")).start
    assert [names[id_] for id_ in start] == [
        "<|startoftranscript|>",
        "<|de|>",
        "<|translate|>",
        "<|notimestamps|>",
    ]
    with pytest.raises(ModelError, match=r"does not know the language 'dee'.*did you mean de"):
        load(made.source, Options(language="dee"))


def test_the_tokenizer_is_the_one_of_transformers(made: Made, tmp_path: Path) -> None:
    from transformers import WhisperTokenizer

    from tools.convert.asr import tokenizer

    theirs = WhisperTokenizer.from_pretrained(made.source)
    ids = np.random.default_rng(5).integers(0, made.checkpoint.model.config.vocab_size, 200).tolist()
    ours = tokenizer.write(made.source, tmp_path / "tokenizer.json")
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
    slow = tmp_path / "slow"
    slow.mkdir()
    for name in ("vocab.json", "merges.txt", "added_tokens.json"):
        shutil.copy(made.source / name, slow / name)
    assert tokenizer.write(slow, tmp_path / "other.json").decode(ids) == ours.decode(ids)


def test_a_static_encoder_is_the_dynamic_one_at_its_length(made: Made, tmp_path: Path) -> None:
    from tools.convert.asr.export import export_encoder

    encoder = made.checkpoint.encoder()
    export_encoder(encoder, tmp_path / "fixed.onnx", 100)
    fixed = Graph(tmp_path / "fixed.onnx")
    assert fixed.input_shapes["mel"][2] == 200 and encoder.context is None
    mel = made.input(0)[:, :, :200]
    wanted = made.ears(made.exact).encode(mel)
    for name, array in fixed({"mel": mel}).items():
        np.testing.assert_allclose(array, wanted[name], atol=1e-4)


def test_openvino_runs_the_same_graphs(made: Made, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    from epsilon.runtimes import openvino

    for converted, draft in ((made.exact, True), (made.small, False)):
        folder, ears = converted.folder, made.ears(converted)
        theirs = replace(
            ears,
            encoder=in_place_of(ears.encoder, openvino.load(folder / "encoder.onnx", Seat())),
            decoder=in_place_of(ears.decoder, openvino.load(folder / "decoder.onnx", Seat())),
        )
        for mel in map(made.input, range(5)):
            ours, other = ears.decode(ears.encode(mel), STEPS), theirs.decode(theirs.encode(mel), STEPS)
            assert not draft or ours == other
    done = convert(made.source, tmp_path / "out", replace(made.options, openvino=True), made.lines.append)
    assert {"encoder.xml", "encoder.bin", "decoder.xml", "decoder.bin"} <= done.files.keys()


class Other:
    """A graph of another runtime that can stand for one of the checks' own."""

    def __init__(self, graph: Any, shapes: dict[str, Any]) -> None:
        self.graph, self.input_shapes = graph, shapes

    def __call__(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = self.graph(feeds)
        return found


def in_place_of(own: Graph, graph: Any) -> Graph:
    return cast(Graph, Other(graph, own.input_shapes))
