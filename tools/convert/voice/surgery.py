"""What is changed in the two graphs: noise comes from a table, and norms get what they would look for in the phrase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.convert.voice.parts import Walk

NOISE_VALUES = 262_139  # a prime, so that no two columns of the noise repeat together
DRAWS = {"RandomNormalLike": "standard_normal", "RandomUniformLike": "random"}
EPSILON = 1e-5
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Norm:
    """An instance norm of the vocoder: its node, and what it multiplies with and adds, [channels]."""

    node: onnx.NodeProto
    weight: Vector
    bias: Vector
    epsilon: float


@dataclass
class Edit:
    """Nodes in a new order, with weights added."""

    model: onnx.ModelProto
    nodes: list[onnx.NodeProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """A node at the end of what was written so far; its output, or all of them."""
        names = [name or f"cut_{kind}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, array: npt.ArrayLike, kind: type = np.int64) -> str:
        """A weight."""
        name = f"cut_weight_{len(self.model.graph.initializer)}"
        self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(array, kind), name))
        return name

    def done(self) -> onnx.ModelProto:
        """The graph, with its nodes replaced by those that were written."""
        del self.model.graph.node[:]
        self.model.graph.node.extend(self.nodes)
        return self.model


def with_tables(model: onnx.ModelProto, seed: int = 0) -> onnx.ModelProto:
    """Noise that is drawn in the graph is read from a table instead: equal phrases then sound equal."""
    edit, random = Edit(model), np.random.default_rng(seed)
    for node in model.graph.node:
        if node.op_type not in DRAWS:
            edit.nodes.append(node)
            continue
        table = edit.constant(getattr(random, DRAWS[node.op_type])(NOISE_VALUES), np.float32)
        shape = edit.op("Shape", node.input[0])
        count = edit.op("ReduceProd", shape, keepdims=0)
        places = edit.op("Range", edit.constant(0), count, edit.constant(1))
        places = edit.op("Mod", places, edit.constant(NOISE_VALUES))
        edit.op("Reshape", edit.op("Gather", table, places), shape, name=node.output[0])
    return edit.done()


def with_alignment(model: onnx.ModelProto, alignment: str, durations: str) -> onnx.ModelProto:
    """The alignment made by comparing: exporters write a loop over sequences, which not every runtime knows."""
    edit = Edit(model)
    for node in model.graph.node:
        if alignment not in node.output:
            edit.nodes.append(node)
            continue
        zero, one, column = edit.constant(0), edit.constant(1), edit.constant([1, -1, 1])
        flat = edit.op("Reshape", durations, edit.constant([-1]))
        ends = edit.op("CumSum", flat, zero)
        frames = edit.op("Range", zero, edit.op("ReduceSum", flat, keepdims=0), one)
        starts = edit.op("Reshape", edit.op("Sub", ends, flat), column)
        begun = edit.op("GreaterOrEqual", frames, starts)
        over = edit.op("GreaterOrEqual", frames, edit.op("Reshape", ends, column))
        inside = edit.op("And", begun, edit.op("Not", over))
        edit.op("Cast", inside, name=alignment, to=TensorProto.FLOAT)
    return edit.done()


def norms_of(walk: Walk) -> list[Norm]:
    """The instance norms of a graph in order."""
    found = []
    for node in walk.graph.node:
        if node.op_type == "InstanceNormalization":
            weight, bias = (walk.resolve(name) for name in node.input[1:])
            assert weight is not None and bias is not None  # as every exporter writes them
            epsilon = next((one.f for one in node.attribute if one.name == "epsilon"), EPSILON)
            found.append(Norm(node, numpy_helper.to_array(weight), numpy_helper.to_array(bias), epsilon))
    return found


def with_meter(model: onnx.ModelProto, norms: Sequence[Norm]) -> onnx.ModelProto:
    """The graph as it is, which also tells what its norms found, as `norms` [2 * channels of all].

    For all channels what would have to be multiplied with, then what added, to do to x what the norm did.
    """
    edit = Edit(model, list(model.graph.node))
    last, scales, shifts = edit.constant([-1]), [], []
    for norm in norms:
        x = norm.node.input[0]
        mean = edit.op("ReduceMean", x, axes=[-1], keepdims=1)
        away = edit.op("Sub", x, mean)
        variance = edit.op("ReduceMean", edit.op("Mul", away, away), axes=[-1], keepdims=1)
        mean, variance = (edit.op("Reshape", one, last) for one in (mean, variance))
        deviation = edit.op("Sqrt", edit.op("Add", variance, edit.constant(norm.epsilon, np.float32)))
        scales.append(edit.op("Div", edit.constant(norm.weight, np.float32), deviation))
        away = edit.op("Mul", mean, scales[-1])
        shifts.append(edit.op("Sub", edit.constant(norm.bias, np.float32), away))
    edit.op("Concat", *scales, *shifts, name="norms", axis=0)
    model.graph.output.append(helper.make_tensor_value_info("norms", TensorProto.FLOAT, ["channels"]))
    return edit.done()


def silent(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without its output `audio`, which then need not be computed to the end."""
    model.graph.output.remove(next(one for one in model.graph.output if one.name == "audio"))
    return model


def affine(model: onnx.ModelProto, norms: Sequence[Norm]) -> onnx.ModelProto:
    """Every norm becomes x · scale + shift of the input `norms`, together with the style's gain and shift after it."""
    channels = [len(norm.weight) for norm in norms]
    edit = Edit(model)
    column = edit.op("Reshape", "norms", edit.constant([1, -1, 1]))
    parts = edit.op("Split", column, edit.constant(channels * 2), outputs=2 * len(norms), axis=1)
    columns = zip(parts[: len(norms)], parts[len(norms) :], strict=True)
    given = {norm.node.output[0]: pair for norm, pair in zip(norms, columns, strict=True)}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    pending: dict[str, Line] = {}  # by the tensor that the line would make
    for node in model.graph.node:
        line = _line(edit, node, pending, given)
        following = [one.op_type for one in readers.get(node.output[0], [])]
        if line is None:
            edit.nodes.append(node)
        elif following == [line.next]:
            pending[node.output[0]] = line
        else:
            edit.op("Add", edit.op("Mul", line.x, line.scale), line.shift, name=node.output[0])
    model.graph.input.append(helper.make_tensor_value_info("norms", TensorProto.FLOAT, [2 * sum(channels)]))
    return edit.done()


@dataclass(frozen=True)
class Line:
    """x · scale + shift that is not written yet, because a node of kind `next` may be taken into it."""

    x: str
    scale: str
    shift: str
    next: str


def _line(
    edit: Edit, node: onnx.NodeProto, pending: dict[str, Line], given: Mapping[str, tuple[str, str]]
) -> Line | None:
    """What a node makes of a line before it, or the beginning of one; None for all other nodes."""
    if node.op_type == "InstanceNormalization":
        return Line(node.input[0], *given[node.output[0]], "Mul")
    before = next((name for name in node.input if name in pending), "")
    if not before:
        return None
    line, other = pending.pop(before), next(name for name in node.input if name != before)
    if node.op_type == "Mul":
        return Line(line.x, edit.op("Mul", line.scale, other), edit.op("Mul", line.shift, other), "Add")
    return Line(line.x, line.scale, edit.op("Add", line.shift, other), "")
