"""Conversion for the NPU: with a double of the toolkit in every test run, with the toolkit itself where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from epsilon.audio_files import write_wav
from epsilon.config.folders import root
from epsilon.errors import ModelError
from epsilon.runtimes.rknn_file import describe
from tests.models import tiny
from tools.convert.asr import rknn, rknn_venv
from tools.convert.asr.features import features, recordings
from tools.convert.asr.float_graph import float_encoder, without_nested_strides

TAKES = root() / "tests/takes"
TOOLKIT = Path(os.environ.get("RKNN_PYTHON", root() / "build/rknn-venv/bin/python"))
FACTS = """\
# Tiny ears with random weights.
family: whisper
bands: 80
contexts: [100, 200, 300]
rknn: {contexts: [300]}
start: [1]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with the tiny encoder."""
    path = tmp_path / "ears"
    path.mkdir()
    tiny.ears(path)
    (path / "model.yaml").write_text(FACTS)
    return path


@pytest.fixture
def doubled(monkeypatch: pytest.MonkeyPatch) -> Path:
    """This Python, which finds the double of the toolkit."""
    paths = (root() / "tests/doubles", root(), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", ":".join(map(str, paths)))
    return Path(sys.executable)


def run(folder: Path, python: Path, *more: str) -> int:
    """The command."""
    return rknn.main([str(folder), "--python", str(python), "--calibration", str(TAKES), *more])


def test_one_file_with_a_shape_for_each_context_and_a_line_in_the_facts(
    folder: Path, doubled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, doubled, "--contexts", "100", "200") == 0
    made = describe(folder / "encoder.rknn")
    assert made.inputs == {"mel": ((1, 80, 400), (1, 80, 200))}
    text = (folder / "model.yaml").read_text()
    assert text.startswith("# Tiny ears") and text.count("rknn:") == 1
    noted = yaml.safe_load(text)["rknn"]
    assert noted["contexts"] == [100, 200] and noted["toolkit"] == "2.5.0" and noted["precision"] == "fp16"
    assert len(noted["sha256"]) == 64
    told = capsys.readouterr().out
    assert "cross_k" in told and "1.0000000" in told and "models manifest --write" in told
    assert sorted(path.name for path in folder.iterdir() if "rknn" in path.name) == ["encoder.rknn"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("far", "cross_v at 100, cross_v at 200 is not alike"),
        ("inf", "cross_k at 100"),
        ("config", "settings failed with code -1"),
        ("load_onnx", "reading failed with code -1"),
        ("build", "rknn-toolkit2: unsupported operation: Magic"),
        ("export_rknn", "writing failed with code -1"),
        ("init_runtime", "simulator failed with code -1"),
        ("inference", "the simulator gave None outputs"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_everything_as_it_was(
    folder: Path,
    doubled: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fault: str,
    told: str,
) -> None:
    monkeypatch.setenv("RKNN_DOUBLE", fault)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(folder, doubled, "--contexts", "100", "200") == 2
    assert told in capfd.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_int8_is_calibrated_in_the_largest_shape(folder: Path, doubled: Path) -> None:
    assert run(folder, doubled, "--contexts", "100", "200", "--int8") == 0
    assert yaml.safe_load((folder / "model.yaml").read_text())["rknn"]["precision"] == "w8a8"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--contexts", "150"], "knows the contexts [100, 200, 300], not [150]"),
        (["--encoder", "nowhere.onnx"], "nowhere.onnx: cannot be read"),
        (["--python", "/nowhere/python"], "/nowhere/python: cannot be run"),
    ],
)
def test_bad_input_is_one_message(
    folder: Path, doubled: Path, capfd: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    assert run(folder, doubled, "--contexts", "100", *more) == 2
    found = capfd.readouterr().err
    assert told in found and len(found.splitlines()) == 1


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no \.wav file"):
        recordings(tmp_path)


def test_long_recordings_are_cut_and_short_ones_kept(tmp_path: Path) -> None:
    write_wav(tmp_path / "long.wav", np.zeros(16_000 * 7, np.float32))
    write_wav(tmp_path / "short.wav", np.zeros(8_000, np.float32))
    pieces = list(features(recordings(tmp_path), 80, 400))  # 3.5 s fit
    assert [piece.shape for piece in pieces] == [(1, 80, 400)] * 3


def test_int8_products_become_float_ones_with_the_same_weights(folder: Path) -> None:
    int8 = folder / "int8.onnx"
    quantize_dynamic(folder / "encoder.onnx", int8, ["MatMul"], weight_type=QuantType.QInt8)
    model = float_encoder(int8)
    kinds = {node.op_type for node in model.graph.node}
    assert "MatMul" in kinds and not kinds & {"MatMulInteger", "DynamicQuantizeLinear", "Cast"}
    onnx.checker.check_model(model)
    mel = np.random.default_rng(0).standard_normal((1, 80, 200)).astype(np.float32)
    whole, undone = (
        onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"mel": mel})
        for graph in ((folder / "encoder.onnx").read_bytes(), model.SerializeToString())
    )
    for found, wanted in zip(undone, whole, strict=True):
        assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max(), "only the weights are rounded"


def test_a_graph_quantised_in_another_way_is_refused_with_a_cure(tmp_path: Path) -> None:
    scale = numpy_helper.from_array(np.array(0.1, np.float32), "scale")
    node = helper.make_node("DequantizeLinear", ["x", "scale"], ["y"])
    x = helper.make_tensor_value_info("x", onnx.TensorProto.INT8, [1])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "g", [x], [y], [scale])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "q.onnx")
    with pytest.raises(ModelError, match=r"quantised with DequantizeLinear.*--encoder"):
        float_encoder(tmp_path / "q.onnx")
    (tmp_path / "words.onnx").write_text("words")
    with pytest.raises(ModelError, match=r"words\.onnx: is no ONNX graph"):
        float_encoder(tmp_path / "words.onnx")


def halvings(strides: tuple[int, int]) -> onnx.ModelProto:
    """Two convolutions with random weights."""
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in ((8, 80, 3), (8,), (4, 8, 3), (4,))]
    names = ["w1", "b1", "w2", "b2"]
    nodes = [
        helper.make_node(
            "Conv", ["mel", "w1", "b1"], ["x"], kernel_shape=[3], strides=[strides[0]], pads=[1, 1]
        ),
        helper.make_node(
            "Conv", ["x", "w2", "b2"], ["y"], kernel_shape=[3], strides=[strides[1]], pads=[1, 1]
        ),
    ]
    mel = helper.make_tensor_value_info("mel", onnx.TensorProto.FLOAT, [1, 80, "frames"])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4, "t"])
    constants = [numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True)]
    graph = helper.make_graph(nodes, "halvings", [mel], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_the_first_of_two_halvings_is_unfolded_exactly() -> None:
    mel = np.random.default_rng(0).standard_normal((1, 80, 40)).astype(np.float32)
    model = halvings((2, 2))
    before = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"mel": mel})[0]
    assert without_nested_strides(model) == 1
    onnx.checker.check_model(model)
    after = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"mel": mel})[0]
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert without_nested_strides(model) == 0
    whisper = halvings((1, 2))
    untouched = whisper.SerializeToString()
    assert without_nested_strides(whisper) == 0 and whisper.SerializeToString() == untouched


@pytest.mark.slow
def test_an_environment_is_made_once_and_anew_for_another_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    lock.write_text("# nothing\n")
    monkeypatch.setattr(rknn_venv, "LOCK", lock)
    monkeypatch.setattr(rknn_venv, "PYTHONS", (sys.executable,))
    told: list[str] = []
    python = rknn_venv.python_of(tmp_path / "venv", told.append)
    assert subprocess.run([python, "-c", "pass"], check=False).returncode == 0
    assert rknn_venv.python_of(tmp_path / "venv", told.append) == python and len(told) == 1
    lock.write_text("no-such-package==0 --hash=sha256:00\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for _ in range(2):  # a half-made one is no environment
        with pytest.raises(ModelError, match=r"pip.*ended with code"):
            rknn_venv.python_of(tmp_path / "venv", told.append)
    monkeypatch.setattr(rknn_venv, "NEEDED_GB", 10**9)
    with pytest.raises(ModelError, match="are free"):
        rknn_venv.python_of(tmp_path / "venv", told.append)


def test_the_lock_names_the_toolkit_that_the_runtime_wants() -> None:
    from epsilon.runtimes.rknn import TOOLKIT as wanted

    assert f"rknn-toolkit2=={wanted}\n" in rknn_venv.LOCK.read_text()


@pytest.mark.rknn
@pytest.mark.parametrize("source", ["tiny", "pocket"])
def test_the_toolkit_converts_and_its_simulator_agrees(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not TOOLKIT.is_file():
        pytest.skip(f"{TOOLKIT} is missing: make it with tools.convert.asr.rknn, or name one in $RKNN_PYTHON")
    pocket = root() / "models/pocket/ears/encoder.onnx"
    more = ["--encoder", str(pocket)] if source == "pocket" else []
    assert run(folder, TOOLKIT, "--contexts", "100", "200", *more) == 0, capsys.readouterr().err
    made = describe(folder / "encoder.rknn")
    assert (made.toolkit, made.chips) == ("2.5.0", ("rk3588",))
    assert made.inputs == {"mel": ((1, 80, 400), (1, 80, 200))}
    steps = 2 if source == "pocket" else 1
    assert [shape[3] for shape in made.outputs["cross_k"]] == [200 // steps, 100 // steps]
    assert "too far" not in capsys.readouterr().out
