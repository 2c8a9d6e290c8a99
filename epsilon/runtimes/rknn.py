"""Graphs on the NPU of the RK3588, through rknn-toolkit-lite2; graphs without an .rknn file run on the CPU.

Which runs where is decided by the files: where encoder.rknn lies beside encoder.onnx the NPU runs it, and
decoder.onnx, which has no .rknn beside it, runs on onnxruntime. A folder without any .rknn is refused: it was
meant for the NPU and would run on the CPU unnoticed. `python -m tools.convert.asr.rknn` makes the files.

The library answers failures with -1 or None and a line in its log; here each becomes an exception.
Nothing in this file has run on an NPU yet; tests hold it against a double of the package.
"""

from __future__ import annotations

import importlib
import logging
import platform
import re
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.errors import InferenceError, ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, Shape, onnx
from epsilon.runtimes.rknn_file import Description, Sizes, describe

WRITES_CODE = True  # not known, and a service that forbids it must not find out
TOOLKIT = "2.5.0"
MACHINE = "aarch64"  # the package has no simulator
CHIPS_FILE = Path("/proc/device-tree/compatible")
LIBRARY = Path("/usr/lib/librknnrt.so")  # not in the package; where it looks
LIBRARY_SOURCE = "rknpu2/runtime/Linux/librknn_api/aarch64 of github.com/airockchip/rknn-toolkit2"
LIBRARY_VERSION = re.compile(rb"librknnrt version: (\d+\.\d+\.\d+)")
# The first needs root on most images; where none can be read the library's own messages must do.
DRIVER_FILES = tuple(
    map(Path, ("/sys/kernel/debug/rknpu/version", "/proc/rknpu/version", "/sys/module/rknpu/version"))
)
OLDEST_DRIVER = "0.9.6"  # below it several NPU cores fail: rknn-toolkit2 issue 138

log = logging.getLogger(__name__)


class RknnGraph:
    """A graph in a context of its own on its NPU cores. `close` gives them back, and so does its end."""

    def __init__(self, lite: Any, description: Description) -> None:
        self._lite, self._path = lite, description.path
        self._release = weakref.finalize(self, lite.release)
        self.fixed: Mapping[str, tuple[Sizes, ...]] = description.inputs
        self._results = description.outputs
        self.inputs: dict[str, Shape] = {name: _shape(sets) for name, sets in description.inputs.items()}
        self.outputs: dict[str, Shape] = {name: _shape(sets) for name, sets in description.outputs.items()}

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """See Graph; InferenceError when no set of shapes in the file fits, or the NPU fails."""
        if not self._release.alive:
            raise self._failed("is closed")
        bucket = self._bucket(feeds)
        arrays = [np.ascontiguousarray(feeds[name], np.float32) for name in self.fixed]
        results = self._lite.inference(inputs=arrays, data_format=["nchw"] * len(arrays))
        if results is None:
            raise self._failed("the NPU did not run it; its reason is in the lines above")
        return self._checked(results, bucket)

    def close(self) -> None:
        """Give the NPU's memory back; a second time does nothing."""
        self._release()

    def _bucket(self, feeds: Mapping[str, Array]) -> int:
        """Which set of shapes the arrays have."""
        if set(feeds) != set(self.fixed):
            raise self._failed(f"takes {sorted(self.fixed)}, not {sorted(feeds)}")
        given = [np.shape(feeds[name]) for name in self.fixed]
        sets = [list(one) for one in zip(*self.fixed.values(), strict=True)]
        if given not in sets:
            there = "; ".join(_show(self.fixed, one) for one in sets)
            raise self._failed(f"has no shape {_show(self.fixed, given)}; there are: {there}")
        return sets.index(given)

    def _checked(self, results: list[Array], bucket: int) -> dict[str, Array]:
        expected = {name: sets[bucket] for name, sets in self._results.items()}
        found = [np.shape(array) for array in results]
        if found != list(expected.values()):
            raise self._failed(f"gave shapes {found}, not {list(expected.values())}")
        if not all(np.isfinite(array).all() for array in results):
            hint = "look for overflow: python -m tools.convert.asr.audit"
            raise self._failed("gave numbers that are not finite", hint)
        return dict(zip(expected, results, strict=True))

    def _failed(self, what: str, hint: str = "") -> InferenceError:
        return InferenceError(what, str(self._path), hint)


def load(path: Path, seat: Seat) -> Graph:
    """The graph on the seat's NPU cores where an .rknn lies beside the file, else on its CPU cores."""
    graph = path.with_suffix(".rknn")
    if graph.is_file():
        return _on_npu(graph, seat)
    if not any(path.parent.glob("*.rknn")):
        hint = f"python -m tools.convert.asr.rknn {path.parent}, or `runtime: onnx` in the board file"
        raise ModelError("nothing in this folder is converted for the NPU", str(path), hint)
    log.info("%s: no %s beside it, runs on the CPU", path, graph.name)
    return onnx.load(path, seat)


def _on_npu(path: Path, seat: Seat) -> RknnGraph:
    description = describe(path)
    _check_board(description)
    package = _import()
    if not seat.npu_cores:
        raise ModelError("no NPU core is named for it", str(path), "`npu_cores: [0]` in the board file")
    mask = getattr(package, "NPU_CORE_" + "_".join(map(str, seat.npu_cores)), None)
    if mask is None:
        raise ModelError(f"the NPU cannot give one graph the cores {list(seat.npu_cores)}", str(path))
    lite = package()
    if lite.load_rknn(str(path)) != 0:
        raise ModelError("rknn-toolkit-lite2 cannot read it; its reason is in the lines above", str(path))
    if lite.init_runtime(core_mask=mask) != 0:
        lite.release()
        hint = f"made by toolkit {description.toolkit}; {_versions()}"
        raise ModelError("the NPU did not take it; its reason is in the lines above", str(path), hint)
    lite.rknn_data = None  # the file's bytes, 190 MB for a small Whisper; the context has its own copy
    return RknnGraph(lite, description)


def _import() -> Any:
    """The class RKNNLite; ModelError when the package is not there or not for this Python."""
    hint = f"on the board, Python 3.9 to 3.12: pip install rknn-toolkit-lite2=={TOOLKIT}"
    try:
        return importlib.import_module("rknnlite.api").RKNNLite
    except ModuleNotFoundError as error:
        raise ModelError(f"the runtime rknn is not installed: no {error.name}", hint=hint) from error
    except ImportError as error:
        raise ModelError(f"rknn-toolkit-lite2 cannot be loaded: {error}", hint=hint) from error


def _check_board(description: Description) -> None:
    """ModelError when this machine, its library or its driver cannot run the file."""
    where, chips = str(description.path), " or ".join(description.chips)
    if platform.machine() != MACHINE or not set(description.chips) & set(_chips()):
        hint = "`runtime: onnx` in the board file runs the same model on the CPU"
        raise ModelError(
            f"is for the NPU of {chips}, which this machine ({platform.machine()}) lacks", where, hint
        )
    if not LIBRARY.is_file():
        hint = f"copy librknnrt.so of version {description.toolkit} there, from {LIBRARY_SOURCE}"
        raise ModelError("the NPU's runtime library is missing", str(LIBRARY), hint)
    library, driver = _library_version(), _driver_version()
    if library and _numbers(library)[:2] < _numbers(description.toolkit)[:2]:
        hint = f"replace {LIBRARY} by version {description.toolkit}, from {LIBRARY_SOURCE}, or convert again"
        raise ModelError(
            f"made by toolkit {description.toolkit}, too new for the library {library}", where, hint
        )
    if driver and _numbers(driver) < _numbers(OLDEST_DRIVER):
        hint = f"it is part of the kernel: install an image with driver {OLDEST_DRIVER} or newer"
        raise ModelError(f"the NPU's driver {driver} is too old", where, hint)


def _chips() -> list[str]:
    """Names of the board and its chip without makers: rk3588 also for an RK3588S."""
    try:
        names = CHIPS_FILE.read_bytes().decode("ascii", "replace").strip("\0").split("\0")
    except OSError:
        return []
    return [name.rpartition(",")[2].removesuffix("s") for name in names]


def _library_version() -> str:
    """The version written into the library; empty when none is found."""
    found = LIBRARY_VERSION.search(LIBRARY.read_bytes())
    return found[1].decode() if found else ""


def _driver_version() -> str:
    """The kernel driver's version; empty when no file tells it to this user."""
    for path in DRIVER_FILES:
        try:
            found = re.search(r"\d+\.\d+\.\d+", path.read_text("ascii", "replace"))
        except OSError:
            continue
        if found:
            return found[0]
    return ""


def _versions() -> str:
    return f"library {_library_version() or 'unknown'}, driver {_driver_version() or 'unknown'}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _shape(sets: tuple[Sizes, ...]) -> Shape:
    """One shape for all: sizes that differ between the sets have a name."""
    return tuple(sizes[0] if len(set(sizes)) == 1 else "?" for sizes in zip(*sets, strict=True))


def _show(names: Mapping[str, object], shapes: list[Sizes]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in zip(names, shapes, strict=True))
