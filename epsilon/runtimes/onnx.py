"""Graphs on onnxruntime, on any CPU."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from epsilon.config.models import Model
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Shape
from epsilon.runtimes.onnx_decoder import OnnxDecoder

FIRST_VERSION_WITH_TELEMETRY = (1, 29)  # its wheels open sockets and write an id file into the home folder

# What onnxruntime raises for a file that is missing, cut short, or no graph that it can run; they share no
# parent.
LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def refuse_telemetry(version: str) -> None:
    """ModelError when an onnxruntime of this version would talk to the network."""
    major, minor = version.split(".")[:2]
    if (int(major), int(minor)) >= FIRST_VERSION_WITH_TELEMETRY:
        raise ModelError(
            f"onnxruntime {version} carries telemetry; this program opens no network connection",
            hint="install onnxruntime below 1.29",
        )


refuse_telemetry(onnxruntime.__version__)


class OnnxGraph:
    """A graph in an onnxruntime session."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.inputs: dict[str, Shape] = {node.name: _shape(node.shape) for node in session.get_inputs()}
        self.outputs: dict[str, Shape] = {node.name: _shape(node.shape) for node in session.get_outputs()}
        self._output_names = list(self.outputs)

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        results = self._session.run(self._output_names, dict(feeds))
        return dict(zip(self._output_names, results, strict=True))


def load(path: Path, seat: Seat) -> OnnxGraph:
    """The graph in an ONNX file. Its inner threads sit on the seat's cores and sleep between calls."""
    return OnnxGraph(_session(path, seat))


def load_decoder(model: Model, seat: Seat) -> OnnxDecoder:
    """The language model in a folder's model.onnx."""
    path = model.folder / "model.onnx"
    return OnnxDecoder(_session(path, seat), path)


def _session(path: Path, seat: Seat) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=_options(seat), providers=["CPUExecutionProvider"]
        )
    except LOAD_ERRORS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"not a graph that onnxruntime can run: {reason}", where=str(path)) from error


def _options(seat: Seat) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = seat.threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = (
        False  # shapes change with every call: an arena would keep the largest of each
    )
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    affinities = _affinities(seat)
    if affinities:
        options.add_session_config_entry("session.intra_op_thread_affinities", affinities)
    return options


def _affinities(seat: Seat) -> str:
    """A core for each inner thread, counted from 1; the first thread is the caller's, which sits already.

    Empty when there is no inner thread or the machine lacks one of the cores: Seat.take() says so once.
    """
    if len(seat.cores) < 2 or not set(seat.cores) <= os.sched_getaffinity(0):
        return ""
    return ";".join(str(core + 1) for core in seat.cores[1:])


def _shape(dimensions: list[int | str | None]) -> Shape:
    return tuple("?" if size is None else size for size in dimensions)
