"""Weights in half the space: large matrices as fp16 that a Cast widens again, and one copy for several graphs.

The runtime folds the Cast while loading and computes in fp32. Graphs that hold the same numbers, as the whole
voice and its two halves do, share a file beside them (ONNX external data).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SMALLEST_SHARED_BYTES = 1024
_SMALLEST_HALVED = 4096  # elements: biases and other small things stay exact
_ALIGNMENT_BYTES = 4096


class WeightsFile:
    """Collects tensors; equal ones get one place."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._blob = bytearray()
        self._places: dict[bytes, int] = {}

    def place(self, tensor: TensorProto) -> None:
        """Move the tensor's data into this file and leave a reference."""
        data = numpy_helper.to_array(tensor).tobytes()
        if data not in self._places:
            self._blob += bytes(-len(self._blob) % _ALIGNMENT_BYTES)
            self._places[data] = len(self._blob)
            self._blob += data
        where = {"location": self.name, "offset": str(self._places[data]), "length": str(len(data))}
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in where.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    def write(self, folder: Path) -> None:
        """Write all of it."""
        (folder / self.name).write_bytes(bytes(self._blob))


def halve(graph: onnx.GraphProto, exact: set[tuple[int, ...]]) -> None:
    """Store large fp32 matrices as fp16 behind a Cast; those whose shape is in `exact` stay as they are."""
    casts = []
    for tensor in graph.initializer:
        size = int(np.prod(tensor.dims))
        if tensor.data_type != TensorProto.FLOAT or size < _SMALLEST_HALVED or tuple(tensor.dims) in exact:
            continue
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half"
        )
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(half)
    for cast in reversed(casts):
        graph.node.insert(0, cast)


def store_halved(source: Path, target: Path) -> None:
    """Write one graph with its large matrices halved."""
    model = onnx.load(source)
    lift_constants(model.graph)
    halve(model.graph, exact=set())
    onnx.save(model, target)


def share(paths: Mapping[str, Path], exact: set[tuple[int, ...]], name: str = "weights.bin") -> None:
    """Rewrite the graphs in place with one weights file beside them."""
    file = WeightsFile(name)
    for path in paths.values():
        model = onnx.load(path)
        lift_constants(model.graph)
        halve(model.graph, exact)
        for tensor in model.graph.initializer:
            if len(numpy_helper.to_array(tensor).tobytes()) >= _SMALLEST_SHARED_BYTES:
                if not tensor.HasField("raw_data"):
                    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
                file.place(tensor)
        onnx.save(model, path)
    file.write(next(iter(paths.values())).parent)


def lift_constants(graph: onnx.GraphProto) -> None:
    """Make large Constant nodes initializers, so that they can be shared too."""
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        tensors = [a.t for a in node.attribute if a.name == "value"]
        if tensors and int(np.prod(tensors[0].dims)) >= _SMALLEST_SHARED_BYTES:
            tensor = graph.initializer.add()
            tensor.CopyFrom(tensors[0])
            tensor.name = node.output[0]
            graph.node.remove(node)
