"""OpenVINO's own files with int8 weights: smaller, close, taken by the runtime, and exact for drafts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from epsilon.dsp.mel import LogMel
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tests.int8 import LEAST_COSINE
from tests.models import tiny
from tests.sounds import vowels
from tools.convert.asr import openvino_files
from tools.convert.asr.graph import Graph
from tools.convert.asr.numbers import cosine
from tools.convert.asr.quantise import quantise

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny ears with encoder.xml and decoder.xml beside their graphs."""
    path = tmp_path_factory.mktemp("ears")
    tiny.ears(path)
    for name in ("encoder", "decoder"):
        openvino_files.save(path / f"{name}.onnx", path / f"{name}.xml")
    return path


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_the_runtime_takes_them_and_they_are_close(folder: Path, name: str, tmp_path: Path) -> None:
    from epsilon.runtimes import openvino

    feeds = openvino_files.random_feeds(folder / f"{name}.onnx")
    exact = Graph(folder / f"{name}.onnx")(feeds)
    found = openvino.load(folder / f"{name}.onnx", Seat())(feeds)
    real = [key for key, array in exact.items() if array.dtype.kind == "f"]
    assert min(cosine(found[key], exact[key]) for key in real) > 0.999
    assert any(not np.allclose(found[key], exact[key], atol=1e-5) for key in real), (
        "int8 weights leave a trace"
    )
    other = tmp_path / f"{name}.onnx"
    other.write_bytes((folder / f"{name}.onnx").read_bytes())
    plain = openvino.load(other, Seat())(feeds)
    for key in real:
        np.testing.assert_allclose(plain[key], exact[key], atol=2e-4)


def test_matrices_are_stored_in_a_quarter_of_the_space(folder: Path) -> None:
    matrices = (folder / "decoder.onnx").stat().st_size
    assert (folder / "decoder.bin").stat().st_size < 0.4 * matrices


def test_the_encoder_may_round_what_it_multiplies(folder: Path, tmp_path: Path) -> None:
    from epsilon.runtimes import openvino

    openvino_files.save(folder / "encoder.onnx", tmp_path / "encoder.xml", 128)
    feeds = openvino_files.random_feeds(folder / "encoder.onnx")
    exact, weights = (
        Graph(folder / "encoder.onnx")(feeds),
        openvino.load(folder / "encoder.onnx", Seat())(feeds),
    )
    both = openvino.load(tmp_path / "encoder.onnx", Seat())(feeds)
    assert min(cosine(both[name], exact[name]) for name in exact) > 0.999
    assert "DYNAMIC_QUANTIZATION_GROUP_SIZE" in (tmp_path / "encoder.xml").read_text()
    assert weights.keys() == both.keys()


def test_one_pass_is_token_by_token(folder: Path) -> None:
    from epsilon.runtimes import openvino

    graph = openvino.load(folder / "decoder.onnx", Seat())
    feeds = openvino_files.random_feeds(folder / "decoder.onnx")
    together = graph(feeds)
    past = {name: feeds[name] for name in ("past_k", "past_v")}
    for row in range(feeds["x"].shape[1]):
        out = graph(feeds | past | {"x": feeds["x"][:, row : row + 1]})
        assert out["ids"][0, 0] == together["ids"][0, row]
        np.testing.assert_allclose(out["logprobs"][0, 0], together["logprobs"][0, row], atol=1e-4)
        past = {"past_k": out["new_k"], "past_v": out["new_v"]}


def test_the_recogniser_hears_with_them_what_no_draft_changes(folder: Path) -> None:
    """What `runtime: openvino` in a board file does with a converted folder."""
    from epsilon.engines.asr import whisper
    from epsilon.runtimes import openvino

    ears = whisper.load(tiny.model(folder, "asr", "whisper"), openvino, Seat())
    heard = set()
    for seed in range(4):
        mel = LogMel()
        mel.push(vowels(1.5, seed=seed))
        cold = ears.recognise(mel, []).ids
        heard.add(tuple(cold))
        for draft in (cold, cold[:2], cold[:1] + [20, 21], [25] * 5):
            assert ears.recognise(mel, draft).ids == cold
    assert any(heard), "it hears something"


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_what_is_int8_for_onnxruntime_runs_too(folder: Path, name: str, tmp_path: Path) -> None:
    from epsilon.runtimes import openvino

    small = tmp_path / f"{name}.onnx"
    quantise(folder / f"{name}.onnx", small, "whole" if name == "encoder" else "rows")
    feeds = openvino_files.random_feeds(small)
    expected, found = onnx.load(small, Seat())(feeds), openvino.load(small, Seat())(feeds)
    for key, array in expected.items():
        if array.dtype.kind == "f":
            assert cosine(found[key], array) > LEAST_COSINE
