"""The NPU's runtime, held against a double of its package: every code and every None becomes an exception."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.errors import InferenceError, ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Graph, fixed_sizes, onnx, rknn
from epsilon.runtimes.rknn_file import describe
from tests.models import npu, tiny

DOUBLES = Path(__file__).parent / "doubles"
SEAT = Seat(npu_cores=(0,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny ears, their encoder converted for 2 s and 4 s as far as this program reads the file."""
    tiny.ears(tmp_path)
    npu.beside(tmp_path / "encoder.onnx", (100, 200))
    return tmp_path


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is taken for the system files of an RK3588, and the package's double."""
    system = tmp_path / "system"
    system.mkdir()
    (system / "compatible").write_bytes(b"xunlong,orangepi-5\0rockchip,rk3588s\0")
    (system / "librknnrt.so").write_bytes(b"\x7fELF..librknnrt version: 2.5.0 (686ab84@2026-09-29)..")
    (system / "version").write_text("RKNPU driver: v0.9.8\n")
    monkeypatch.setattr(rknn.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(rknn, "CHIPS_FILE", system / "compatible")
    monkeypatch.setattr(rknn, "LIBRARY", system / "librknnrt.so")
    monkeypatch.setattr(rknn, "DRIVER_FILES", (system / "none", system / "version"))
    return system


@pytest.fixture
def lite(board: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The double's class on the board; its marks are cleared afterwards."""
    monkeypatch.syspath_prepend(str(DOUBLES))
    RKNNLite = importlib.import_module("rknnlite.api").RKNNLite
    yield RKNNLite
    for marks in (RKNNLite.broken, RKNNLite.contexts, RKNNLite.calls):
        marks.clear()
    for name in ("rknnlite.api", "rknnlite"):
        sys.modules.pop(name, None)


def mel(context: int) -> np.ndarray:
    """Noise of the shape of features."""
    return np.random.default_rng(context).standard_normal((1, 80, 2 * context)).astype(np.float32)


def encoder(folder: Path, seat: Seat = SEAT) -> Any:
    """The encoder on the NPU."""
    return rknn.load(folder / "encoder.onnx", seat)


def test_names_shapes_and_sizes_come_from_the_file(folder: Path, lite: Any) -> None:
    graph = encoder(folder)
    assert graph.inputs == {"mel": (1, 80, "?")}
    assert graph.outputs == dict.fromkeys(("cross_k", "cross_v"), (1, 1, 1, "?", 64))
    assert fixed_sizes(graph, "mel", 2) == (200, 400)
    assert fixed_sizes(onnx.load(folder / "encoder.onnx", Seat()), "mel", 2) == ()


@pytest.mark.parametrize("context", [100, 200])
def test_it_computes_what_the_cpu_does_in_each_of_its_shapes(folder: Path, lite: Any, context: int) -> None:
    expected = onnx.load(folder / "encoder.onnx", Seat())({"mel": mel(context)})
    found = encoder(folder)({"mel": np.asfortranarray(mel(context)).astype(np.float64)})
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-4)
    assert lite.calls[-1]["data_format"] == ["nchw"], "the library takes nhwc unless told"


def test_a_shape_that_is_not_in_the_file_is_refused_with_those_that_are(folder: Path, lite: Any) -> None:
    graph = encoder(folder)
    with pytest.raises(InferenceError) as caught:
        graph({"mel": mel(150)})
    for part in ("encoder.rknn", "[1, 80, 300]", "[1, 80, 400]", "[1, 80, 200]"):
        assert part in str(caught.value)
    with pytest.raises(InferenceError, match=r"takes \['mel'\], not \['sound'\]"):
        graph({"sound": mel(100)})
    assert lite.calls == [], "what cannot fit does not reach the NPU"


def test_a_file_of_one_shape_needs_no_sets(folder: Path, lite: Any) -> None:
    npu.beside(folder / "encoder.onnx", (100,))
    graph: Graph = encoder(folder)
    assert graph.inputs == {"mel": (1, 80, 200)}
    assert graph({"mel": mel(100)})["cross_k"].shape == (1, 1, 1, 100, 64)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("inference", "did not run it"),
        ("outputs", r"gave shapes \[\(1, 1, 1, 100, 64\)\], not"),
        ("numbers", "not finite.*audit"),
    ],
)
def test_what_fails_while_running_is_an_inference_error(
    folder: Path, lite: Any, step: str, told: str
) -> None:
    graph = encoder(folder)
    lite.broken.add(step)
    with pytest.raises(InferenceError, match=told):
        graph({"mel": mel(100)})
    lite.broken.clear()
    assert graph({"mel": mel(100)}), "the next call may do better"


@pytest.mark.parametrize("step", ["load_rknn", "init_runtime"])
def test_a_code_while_loading_is_a_model_error_and_leaves_no_context(
    folder: Path, lite: Any, step: str
) -> None:
    lite.broken.add(step)
    with pytest.raises(ModelError, match=r"encoder\.rknn: .*reason is in the lines above"):
        encoder(folder)
    assert lite.contexts == []


def test_each_graph_has_a_context_on_its_cores_until_it_is_closed_or_gone(folder: Path, lite: Any) -> None:
    first = encoder(folder, Seat(npu_cores=(0,)))
    second = encoder(folder, Seat(npu_cores=(2,)))
    third = encoder(folder, Seat(npu_cores=(0, 1)))
    assert lite.contexts == [lite.NPU_CORE_0, lite.NPU_CORE_2, lite.NPU_CORE_0_1]
    first.close()
    first.close()
    assert lite.contexts == [lite.NPU_CORE_2, lite.NPU_CORE_0_1]
    with pytest.raises(InferenceError, match="is closed"):
        first({"mel": mel(100)})
    second({"mel": mel(100)})
    del second, third
    gc.collect()
    assert lite.contexts == []


def test_no_core_or_an_impossible_set_of_them_is_refused(folder: Path, lite: Any) -> None:
    with pytest.raises(ModelError, match=r"no NPU core.*npu_cores: \[0\]"):
        encoder(folder, Seat())
    with pytest.raises(ModelError, match=r"cannot give one graph the cores \[0, 2\]"):
        encoder(folder, Seat(npu_cores=(0, 2)))


def test_the_file_is_not_kept_in_memory(folder: Path, lite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(lite, "__init__", _noting(lite.__init__, made))
    encoder(folder)
    assert [one.rknn_data for one in made] == [None]


def _noting(begin: Any, made: list[Any]) -> Any:
    def noting(self: Any) -> None:
        made.append(self)
        begin(self)

    return noting


def test_a_graph_without_an_rknn_runs_on_the_cpu_and_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert isinstance(rknn.load(folder / "decoder.onnx", SEAT), onnx.OnnxGraph)
    assert "no decoder.rknn beside it, runs on the CPU" in caplog.text


def test_a_folder_that_was_never_converted_is_refused(folder: Path) -> None:
    (folder / "encoder.rknn").unlink()
    with pytest.raises(ModelError, match=r"encoder\.onnx: nothing.*tools\.convert\.asr\.rknn"):
        rknn.load(folder / "encoder.onnx", SEAT)


def test_another_machine_is_told_what_the_file_is_for(folder: Path, board: Path) -> None:
    (board / "compatible").write_bytes(b"raspberrypi,5-model-b\0brcm,bcm2712\0")
    with pytest.raises(ModelError, match=r"for the NPU of rk3588, which this machine.*runtime: onnx"):
        encoder(folder)
    (board / "compatible").unlink()
    with pytest.raises(ModelError, match="for the NPU of rk3588"):
        encoder(folder)


def test_another_architecture_is_told_the_same(
    folder: Path, board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rknn.platform, "machine", lambda: "x86_64")
    with pytest.raises(ModelError, match=r"this machine \(x86_64\) lacks"):
        encoder(folder)


def test_a_missing_package_or_one_for_another_python(
    folder: Path, board: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no rknnlite.*pip install rknn-toolkit-lite2==2\.5\.0"):
        encoder(folder)
    (tmp_path / "other/rknnlite").mkdir(parents=True)
    (tmp_path / "other/rknnlite/__init__.py").write_text("")
    (tmp_path / "other/rknnlite/api.py").write_text("raise ImportError('wrong ELF class')")
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    with pytest.raises(ModelError, match=r"cannot be loaded: wrong ELF class.*Python 3\.9 to 3\.12"):
        encoder(folder)
    sys.modules.pop("rknnlite", None)


def test_a_missing_or_old_library_and_an_old_driver(folder: Path, lite: Any, board: Path) -> None:
    (board / "version").write_text("RKNPU driver: v0.9.2\n")
    with pytest.raises(ModelError, match=r"driver 0\.9\.2 is too old.*0\.9\.6"):
        encoder(folder)
    (board / "version").write_text("RKNPU driver: v0.10.1\n")
    encoder(folder)
    (board / "librknnrt.so").write_bytes(b"..librknnrt version: 2.3.2 (429f97ae6b@2025-04-09)..")
    with pytest.raises(ModelError, match=r"toolkit 2\.5\.0, too new for the library 2\.3\.2.*replace"):
        encoder(folder)
    (board / "librknnrt.so").unlink()
    with pytest.raises(ModelError, match=r"librknnrt\.so: .*missing.*copy librknnrt\.so of version 2\.5\.0"):
        encoder(folder)


def test_an_older_file_runs_on_a_newer_library(folder: Path, lite: Any) -> None:
    npu.beside(folder / "encoder.onnx", (100,), version="2.3.2")
    assert encoder(folder)({"mel": mel(100)})


def test_versions_that_nobody_tells_do_not_stop_it(folder: Path, lite: Any, board: Path) -> None:
    (board / "librknnrt.so").write_bytes(b"nothing said")
    (board / "version").unlink()
    assert encoder(folder)
    lite.broken.add("init_runtime")
    with pytest.raises(ModelError, match="library unknown, driver unknown"):
        encoder(folder)


def test_damaged_files_are_named(folder: Path, lite: Any) -> None:
    path = folder / "encoder.rknn"
    whole = path.read_bytes()
    for content, told in (
        (b"", "is not an .rknn file"),
        (b"words", "is not an .rknn file"),
        (whole[: len(whole) // 2], "is cut short"),
        (whole[:-1], "is cut short"),
        (whole.replace(b"norm_tensor", b"norm_tensar"), "no meaning to this program: KeyError"),
        (whole[:-1] + b"]", "no meaning to this program"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=rf"encoder\.rknn: .*{told}"):
            encoder(folder)


def test_the_order_of_inputs_is_the_one_of_the_graph(tmp_path: Path) -> None:
    path = tmp_path / "two.rknn"
    npu.write(path, {"b": [[1, 2]], "a": [[3]]}, {"y": [[4]]})
    assert list(describe(path).inputs) == ["b", "a"]
    assert describe(path).outputs == {"y": ((4,),)}
