"""Every runtime: arithmetic, names and shapes; bad files are named; inner threads sit on their cores."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tests.found import modules
from tests.models import npu, tiny

PACKAGES = {"openvino": "openvino"}  # runtimes that need a package which not everybody installs


@pytest.fixture(params=modules("runtimes"), ids=lambda module: module.__name__)
def runtime(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    package = PACKAGES.get(module.__name__.rpartition(".")[2])
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs")
    tiny.ears(path)
    npu.beside(
        path / "encoder.onnx", (100, 200)
    )  # so that the runtime rknn takes the folder, decoder on the CPU
    return path


def feeds() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    x, past, cross = (
        random.standard_normal(shape).astype(np.float32) for shape in ((1, 3, 64), (2, 5, 64), (2, 9, 64))
    )
    return {
        "x": x,
        "past_k": past[0].reshape(1, 1, 1, 5, 64),
        "past_v": past[1].reshape(1, 1, 1, 5, 64),
        "cross_k": cross[0].reshape(1, 1, 1, 9, 64),
        "cross_v": cross[1].reshape(1, 1, 1, 9, 64),
    }


def test_names_and_shapes(runtime: ModuleType, folder: Path) -> None:
    graph = runtime.load(folder / "decoder.onnx", Seat())
    assert set(graph.inputs) == set(feeds())
    assert set(graph.outputs) == {"ids", "logprobs", "new_k", "new_v"}
    shape = graph.inputs["past_k"]
    assert (shape[0], shape[2], shape[4]) == (1, 1, 64)
    assert isinstance(shape[3], str), "a size that differs from call to call has a name"


def test_the_cache_is_the_past_and_the_new(runtime: ModuleType, folder: Path) -> None:
    given = feeds()
    out = runtime.load(folder / "decoder.onnx", Seat())(given)
    assert out["ids"].shape == (1, 3) and out["new_k"].shape == (1, 1, 1, 8, 64)
    np.testing.assert_array_equal(out["new_k"][:, :, :, :5], given["past_k"])


def test_every_runtime_computes_the_same(runtime: ModuleType, folder: Path) -> None:
    expected = onnx.load(folder / "decoder.onnx", Seat())(feeds())
    found = runtime.load(folder / "decoder.onnx", Seat())(feeds())
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=2e-4)


def test_an_empty_past_and_a_strided_array_are_fine(runtime: ModuleType, folder: Path) -> None:
    graph = runtime.load(folder / "decoder.onnx", Seat())
    given = feeds() | {name: np.zeros((1, 1, 1, 0, 64), np.float32) for name in ("past_k", "past_v")}
    out = graph(given)
    strided = graph(given | {"x": np.asfortranarray(given["x"])})
    np.testing.assert_array_equal(out["logprobs"], strided["logprobs"])


def test_results_outlive_the_next_call(runtime: ModuleType, folder: Path) -> None:
    graph = runtime.load(folder / "decoder.onnx", Seat())
    first = graph(feeds())
    kept = first["logprobs"].copy()
    graph(feeds() | {"x": np.ones((1, 3, 64), np.float32)})
    np.testing.assert_array_equal(first["logprobs"], kept)


def test_the_same_input_gives_the_same_bits(runtime: ModuleType, folder: Path) -> None:
    graph = runtime.load(folder / "decoder.onnx", Seat())
    again = runtime.load(folder / "decoder.onnx", Seat())
    np.testing.assert_array_equal(graph(feeds())["logprobs"], again(feeds())["logprobs"])


def test_bad_files_are_named(runtime: ModuleType, folder: Path, tmp_path: Path) -> None:
    whole = (folder / "decoder.onnx").read_bytes()
    npu.beside(tmp_path / "encoder.onnx", (100,))
    for name, content in (
        ("cut.onnx", whole[: len(whole) // 2]),
        ("text.onnx", b"words"),
        ("empty.onnx", b""),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ModelError, match=name):
            runtime.load(path, Seat())
    with pytest.raises(ModelError, match=r"missing\.onnx"):
        runtime.load(tmp_path / "missing.onnx", Seat())


def threads() -> set[int]:
    return {int(path.name) for path in Path("/proc/self/task").iterdir()}


def test_inner_threads_sit_on_their_cores(runtime: ModuleType, folder: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core only")
    before = threads()
    graph = runtime.load(folder / "decoder.onnx", Seat(cores=(cores[0], cores[-1])))
    graph(feeds())
    made = threads() - before
    for thread in made:
        assert os.sched_getaffinity(thread) <= {cores[0], cores[-1]}
    alone = threads()
    runtime.load(folder / "decoder.onnx", Seat(cores=(cores[0],)))(feeds())
    for thread in threads() - alone:
        assert os.sched_getaffinity(thread) <= {cores[0]}
    assert os.sched_getaffinity(0) == set(cores), "loading leaves the caller where it was"


def test_no_socket_and_no_file_of_its_own(runtime: ModuleType, folder: Path, tmp_path: Path) -> None:
    """What can be seen in seconds and without strace; tests of the whole toy watch a minute under a trace."""
    program = f"""
import sys
def watch(event, details):
    writes = event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+")
    if event.startswith("socket.") or event == "urllib.Request" or (writes and details[0] != "/dev/null"):
        print("did", event, details[:2])
sys.addaudithook(watch)
from pathlib import Path
from epsilon.realtime import Seat
from {runtime.__name__} import load
load(Path({str(folder / "decoder.onnx")!r}), Seat())
print("telemetry" if sys.modules.get("openvino_telemetry") else "loaded")
"""
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == ["loaded"]
    assert list(tmp_path.iterdir()) == []


def test_an_onnxruntime_with_telemetry_is_refused() -> None:
    onnx.refuse_telemetry("1.28.3")
    for version in ("1.29.0", "1.32.0.dev1", "2.0"):
        with pytest.raises(ModelError, match="telemetry"):
            onnx.refuse_telemetry(version)
