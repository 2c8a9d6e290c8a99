"""The converter's parts that need no torch: integers in graphs, contexts, sound, vocabulary, one clear message."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from onnx import TensorProto, checker, helper, load, numpy_helper, save
from tokenizers import Tokenizer

from epsilon.errors import ModelError
from tests.int8 import LEAST_COSINE
from tests.models import tiny
from tools.convert.asr import __main__ as command
from tools.convert.asr import contexts, numbers, sound
from tools.convert.asr import tokenizer as vocabularies
from tools.convert.asr.contexts import Trial
from tools.convert.asr.graph import Graph
from tools.convert.asr.greedy import Greedy
from tools.convert.asr.quantise import quantise
from tools.convert.asr.sound import Clip

WIDTH, OUTPUTS = 96, 40
RNG = np.random.default_rng(4)
WEIGHTS = (RNG.standard_normal((WIDTH, OUTPUTS)) / 10).astype(np.float32)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """x [1, n, 96] times constant weights, and a product of two inputs, which stays as it is."""
    shapes: dict[str, list[int | str | None]] = {
        "x": [1, "n", WIDTH],
        "other": [1, WIDTH, 3],
        "y": [1, "n", OUTPUTS],
        "z": [1, "n", 3],
    }
    infos = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    }
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("MatMul", ["x", "other"], ["z"])]
    graph = helper.make_graph(
        nodes, "product", [infos["x"], infos["other"]], [infos["y"], infos["z"]],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )  # fmt: skip
    save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "p.onnx",
    )
    return tmp_path / "p.onnx"


def run(path: Path, x: np.ndarray) -> np.ndarray:
    return Graph(path)({"x": x, "other": np.zeros((1, WIDTH, 3), np.float32)})["y"]


@pytest.mark.parametrize("way", ["whole", "rows"])
def test_int8_is_close_and_smaller(product: Path, way: str, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    assert quantise(product, small, way) == 1  # type: ignore[arg-type]
    checker.check_model(load(small))
    x = RNG.standard_normal((1, 7, WIDTH)).astype(np.float32)
    assert numbers.cosine(run(small, x), run(product, x)) > LEAST_COSINE
    stored = {tensor.name: tensor.data_type for tensor in load(small).graph.initializer}
    assert stored["w_integers"] == TensorProto.INT8 and "w" not in stored


def test_a_row_is_rounded_without_regard_to_the_others(product: Path, tmp_path: Path) -> None:
    """What makes a draft checked in one pass equal to decoding token by token."""
    x = RNG.standard_normal((1, 2, WIDTH)).astype(np.float32)
    x[0, 1] *= 1000
    alone = x[:, :1]
    for way, exact in (("rows", True), ("whole", False)):
        quantise(product, tmp_path / "small.onnx", way)  # type: ignore[arg-type]
        together = run(tmp_path / "small.onnx", x)[:, :1]
        assert np.array_equal(together, run(tmp_path / "small.onnx", alone)) == exact


def test_rows_keep_fourteen_bits_of_what_comes_in(product: Path, tmp_path: Path) -> None:
    quantise(product, tmp_path / "small.onnx", "rows")
    scales = np.abs(WEIGHTS).max(0) / 127
    x = RNG.standard_normal((1, 5, WIDTH)).astype(np.float32)
    exact = x @ (np.round(WEIGHTS / scales) * scales)
    step = np.abs(x).max() / 8064 * np.abs(WEIGHTS).sum(0).max()
    np.testing.assert_allclose(run(tmp_path / "small.onnx", x), exact, atol=step / 2 * 1.05)


def test_nothing_comes_of_nothing(product: Path, tmp_path: Path) -> None:
    quantise(product, tmp_path / "small.onnx", "rows")
    assert not run(tmp_path / "small.onnx", np.zeros((1, 3, WIDTH), np.float32)).any()


def test_cosines_and_differences_tell_right_from_wrong() -> None:
    a = {"ids": np.array([1, 2]), "x": np.array([1.0, 2.0])}
    near = {"ids": np.array([1, 2]), "x": np.array([1.0, 2.0 + 1e-6])}
    assert numbers.same_within("a", near, a, 1e-5).passed
    assert not numbers.same_within("a", near, a, 1e-8).passed
    assert not numbers.same_within("a", near | {"ids": np.array([1, 3])}, a, 1e-5).passed
    assert numbers.alike("a", near, a, 0.999).passed
    assert not numbers.alike("a", {"x": np.array([2.0, -1.0])}, {"x": a["x"]}, 0.999).passed
    assert numbers.cosine(np.zeros(2), np.zeros(2)) == 1


def test_a_failed_check_is_told_and_stops() -> None:
    lines: list[str] = []
    checks = [
        numbers.same_within("x", {"x": np.ones(1)}, {"x": np.ones(1) * size}, 0.1) for size in (1, 2, 1)
    ]
    with pytest.raises(ModelError, match="check failed"):
        numbers.told(checks, lines.append)
    assert ["ok" in line for line in lines] == [True, False]


@pytest.mark.parametrize(
    ("different", "clips", "safe"),
    [
        ((0, 0, 0), (2, 3, 4), 100),
        ((0, 1, 0), (2, 3, 4), 300),  # right by luck below a wrong one is not safe
        ((1, 0, 0), (2, 3, 4), 200),
        ((0, 0, 0), (0, 3, 4), 200),  # nothing fitted: nothing is known
        ((1, 1, 1), (2, 3, 4), 300),
    ],
)
def test_the_smallest_safe_context(different: tuple[int, ...], clips: tuple[int, ...], safe: int) -> None:
    trials = [Trial(*row) for row in zip((100, 200, 300), clips, different, strict=True)]
    assert contexts.smallest_safe(trials) == safe


def test_contexts_that_a_checkpoint_has_positions_for() -> None:
    assert contexts.offered((2, 4, 10), 1500) == [100, 200, 500]
    assert contexts.offered((2, 4, 10), 200) == [100, 200]
    assert contexts.offered((2, 4), 60) == [60]


class Deaf(Greedy):
    """Hears its context's length and, below 4 s, another word."""

    def __init__(self) -> None:
        pass

    def hear(self, sound: np.ndarray, context: int, steps: int) -> list[int]:
        return [1] if context >= 200 else [2]


def test_words_at_short_lengths_are_held_against_the_longest() -> None:
    clips = [Clip(str(seconds), np.zeros(int(seconds * 16_000), np.float32)) for seconds in (1, 2, 3, 5, 60)]
    lines: list[str] = []
    trials = contexts.measure(
        Deaf(),
        lambda ids: {1: "Hello, you!", 2: "no"}[ids[0]],
        clips,
        [100, 150, 200, 300],
        1500,
        lines.append,
    )
    assert [(trial.context, trial.clips, trial.different) for trial in trials] == [
        (100, 1, 1), (150, 2, 2), (200, 3, 0), (300, 4, 0)
    ]  # fmt: skip
    assert contexts.smallest_safe(trials) == 200 and len(lines) == 4
    assert contexts.words("Hello, you! It's 5.") == ["hello", "you", "it's", "5"]


def test_recordings_come_at_16_khz_shortest_first(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros((44_100, 2)), 44_100)
    soundfile.write(tmp_path / "short.flac", np.zeros(8_000), 16_000)
    (tmp_path / "words.txt").write_text("no sound")
    assert [(clip.name, clip.seconds) for clip in sound.clips(tmp_path)] == [
        ("short.flac", 0.5),
        ("long.wav", 1.0),
    ]


def test_a_folder_without_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=tmp_path.name):
        sound.clips(tmp_path)
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(ModelError, match=r"a\.wav: cannot be read as sound"):
        sound.clips(tmp_path)


def test_sentences_are_said_where_a_synthesizer_is_installed() -> None:
    said = sound.spoken()
    if not said:
        pytest.skip("neither flite nor espeak-ng is installed")
    assert len(said) == len(sound.SENTENCES)
    assert said[0].seconds < said[-1].seconds < 12 and np.abs(said[0].sound).max() > 0.05


@pytest.fixture
def slow_files(tmp_path: Path) -> Path:
    """What a checkpoint from before tokenizer.json holds."""
    tokenizer = tiny.tokenizer()
    tokenizer.add_special_tokens(["<|0.00|>"])
    description = json.loads(tokenizer.to_str())
    marks = {entry["content"]: entry["id"] for entry in description["added_tokens"]}
    words = {token: place for token, place in description["model"]["vocab"].items() if token not in marks}
    order = sorted(words, key=words.__getitem__)
    vocabulary = {token: place for place, token in enumerate(order)}
    added = {token: len(vocabulary) + place for place, token in enumerate(marks)}
    merges = [" ".join(pair) for pair in description["model"]["merges"]]
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    (tmp_path / "added_tokens.json").write_text(json.dumps(added), "utf-8")
    return tmp_path


def test_tokenizer_json_is_made_of_older_files(slow_files: Path) -> None:
    made = vocabularies.write(slow_files, slow_files / "out.json")
    assert Tokenizer.from_file(str(slow_files / "out.json")).to_str() == made.to_str()
    assert made.decode(made.encode("abc bca").ids) == tiny.tokenizer().decode(
        tiny.tokenizer().encode("abc bca").ids
    )
    assert made.token_to_id("<|0.00|>") == made.get_vocab_size() - 1


def test_time_stamps_spell_nothing(slow_files: Path) -> None:
    vocabularies.write(slow_files, slow_files / "tokenizer.json")
    description = json.loads((slow_files / "tokenizer.json").read_text())
    for entry in description["added_tokens"]:
        entry["special"] = False
    (slow_files / "tokenizer.json").write_text(json.dumps(description))
    made = vocabularies.write(slow_files, slow_files / "out.json")
    assert made.decode([made.get_vocab_size() - 1]) == ""


def test_what_is_missing_of_a_vocabulary_is_named(slow_files: Path) -> None:
    (slow_files / "merges.txt").unlink()
    with pytest.raises(ModelError, match=r"merges\.txt"):
        vocabularies.write(slow_files, slow_files / "out.json")


def test_a_wrong_folder_is_one_message_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert command.main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "made")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
