"""Graphs on OpenVINO's CPU plugin; the extra `openvino` installs it.

Of encoder.onnx it takes the encoder.xml beside it when there is one: that is OpenVINO's own form, with int8
weights where the converter made it. What is int8 for onnxruntime runs here as well, but slower.

Sizes that differ from call to call are compiled for when they first come, and kept in memory, never on the disk: a
phrase of a new length costs the pocket voice some 10 ms of CPU more than the same phrase again, the first of all 50 ms.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Shape

WRITES_CODE = True  # it compiles: "can't protect" where memory may not be written and executed
GROUP = "DYNAMIC_QUANTIZATION_GROUP_SIZE"  # columns of a product's input that are rounded to int8 together
TELEMETRY = "openvino_telemetry"  # a dependency of the wheel that would open sockets and write an id file


def package() -> Any:
    """The openvino package with its telemetry made unimportable, for which it has a silent stand-in."""
    if sys.modules.get(TELEMETRY) is not None:
        raise ModelError("openvino was imported with its telemetry before this runtime was chosen")
    modules: dict[str, Any] = sys.modules  # None in it is what Python documents for "do not import this"
    modules[TELEMETRY] = None
    try:
        return importlib.import_module("openvino")
    except ModuleNotFoundError as error:
        raise ModelError("the runtime openvino is not installed", hint="pip install openvino") from error


class OpenvinoGraph:
    """A compiled model with one inference request."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self.inputs: dict[str, Shape] = {_name(port): _shape(port) for port in compiled.inputs}
        self.outputs: dict[str, Shape] = {_name(port): _shape(port) for port in compiled.outputs}

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        contiguous = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        results = self._request.infer(contiguous, share_inputs=True, share_outputs=False)
        return {_name(port): array for port, array in results.items()}


def load(path: Path, seat: Seat) -> OpenvinoGraph:
    """The graph in an .onnx or .xml file, on the seat's cores.

    It is computed in float32, unless the file itself says in its runtime options that inputs of products may be
    rounded: then what is computed in pieces differs from what is computed at once.
    """
    path = own_form(path)
    openvino = package()
    settings = {
        "INFERENCE_NUM_THREADS": seat.threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,  # it would choose cores by itself; threads inherit the seat's instead
    }
    try:
        with _seated(seat):
            core = openvino.Core()
            model = core.read_model(str(path))
            if not model.has_rt_info(["runtime_options", GROUP]):
                settings[GROUP] = 0
            return OpenvinoGraph(core.compile_model(model, "CPU", settings))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ModelError(f"not a graph that OpenVINO can run: {reason}", where=str(path)) from error


def own_form(path: Path) -> Path:
    """The .xml beside an ONNX file when there is one, else the file itself."""
    own = path.with_suffix(".xml")
    return own if own.is_file() else path


@contextmanager
def _seated(seat: Seat) -> Iterator[None]:
    """The calling thread on the seat's cores for a while, so that the threads made meanwhile inherit them."""
    before = os.sched_getaffinity(0)
    if seat.cores and set(seat.cores) <= before:
        os.sched_setaffinity(0, seat.cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _name(port: Any) -> str:
    return str(port.get_any_name())


def _shape(port: Any) -> Shape:
    return tuple(size.get_length() if size.is_static else "?" for size in port.get_partial_shape())
