"""How large and how small every number inside a graph gets on real input, against what float16 can hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

from epsilon.errors import ModelError
from tools.convert.asr.float_graph import Constants

LIMIT = 65504.0  # the largest number of float16
SMALLEST = 2.0**-14  # below it float16 loses digits, and below 2**-24 everything
NEAR = LIMIT / 4  # other speech may be this much louder than what was measured
LOST = 2.0**-9  # rounding in the normal range costs 2**-12 on average; four times the worst of it is loss
CONSTANT = "constant"  # in place of an operation's kind
FEWEST = 16  # numbers a channel's loss is judged by

Array = npt.NDArray[np.float32]
Feeds = dict[str, Array]


@dataclass
class Range:
    """What one operation's output holds, as the worst of all inputs measured."""

    tensor: str
    op: str
    node: str
    largest: float = 0.0
    inside: float = 0.0  # largest sum of squares that a LayerNormalization forms
    small: float = 0.0  # share of numbers other than 0 below SMALLEST
    lost: float = 0.0  # what rounding to float16 costs the median channel, relative to it

    @property
    def headroom(self) -> float:
        """How often the largest number fits under the limit."""
        return LIMIT / self.largest if self.largest else float("inf")

    def verdict(self, norms_in_half: bool = False) -> str:
        """'over', 'near', 'inside', 'small' or 'ok'; the first that holds."""
        if self.largest > LIMIT:
            return "over"
        if self.largest > NEAR:
            return "near"
        if norms_in_half and self.inside > LIMIT:
            return "inside"
        return "small" if self.lost > LOST else "ok"

    def take(self, array: Array) -> None:
        """Widens the range by what one run gave."""
        sizes = np.abs(array)
        self.largest = max(self.largest, float(sizes.max(initial=0.0)))
        there = np.count_nonzero(sizes)
        if there:
            tiny = np.count_nonzero((sizes > 0) & (sizes < SMALLEST))
            self.small = max(self.small, float(tiny / there))
        if array.ndim > 1 and array.size >= FEWEST * array.shape[-1]:
            self.lost = max(self.lost, _lost(array))

    def take_normalised(self, array: Array) -> None:
        """Widens `inside` by the input [..., width] of a LayerNormalization."""
        centred = array.astype(np.float64) - array.mean(-1, keepdims=True)
        self.inside = max(self.inside, float((centred**2).sum(-1).max(initial=0.0)))


def _lost(array: Array) -> float:
    """The median over channels (last axis) of the relative error that rounding to float16 makes."""
    rows = np.clip(array.reshape(-1, array.shape[-1]), -LIMIT, LIMIT)
    sizes = np.linalg.norm(rows, axis=0)
    errors = np.linalg.norm(rows - rows.astype(np.float16).astype(np.float32), axis=0)
    return float(np.median(errors[sizes > 0] / sizes[sizes > 0])) if (sizes > 0).any() else 0.0


def measure(model: onnx.ModelProto, inputs: Iterable[Feeds]) -> list[Range]:
    """The range of every operation that gives real numbers, and of every constant, in the graph's order.

    Nothing is optimised away while measuring: the tensors are those of the file.
    """
    found = {name: Range(name, node.op_type, node.name) for name, node in floats(model).items()}
    norms = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "LayerNormalization"
    }
    session = session_of(exposed(model, list(found)))
    runs = 0
    for feeds in inputs:
        runs += 1
        arrays = dict(zip(found, session.run(list(found), feeds), strict=True))
        for name, array in arrays.items():
            found[name].take(array)
        for name, source in norms.items():
            found[name].take_normalised(arrays[source] if source in arrays else feeds[source])
    if not runs:
        raise ModelError("there is no sound to measure with")
    return [*_constants(model), *found.values()]


def floats(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    """The computed float32 tensors of a graph and the nodes that make them; constants are left out."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = {
        value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.output)
    }
    graph = Constants(model)
    return {
        name: node
        for node in model.graph.node
        for name in node.output
        if known.get(name) == TensorProto.FLOAT and graph.value(name) is None
    }


def exposed(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """The graph with these tensors as outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    return copy


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """The graph as it stands, in a session of one thread that changes nothing."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )


def _constants(model: onnx.ModelProto) -> list[Range]:
    """Those that float16 cannot hold; the others are of no interest."""
    graph, ranges = Constants(model), []
    for name in dict.fromkeys(name for node in model.graph.node for name in node.input):
        value = graph.value(name)
        if value is not None and value.dtype == np.float32 and np.abs(value).max(initial=0.0) > NEAR:
            ranges.append(Range(name, CONSTANT, name, float(np.abs(value).max())))
    return ranges
