"""Encoders as plain float32 graphs: int8 products undone, strides that the NPU's toolkit stumbles over unfolded."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, helper, numpy_helper

from epsilon.errors import ModelError

# What onnx raises for a file that is no graph; its package has no types.
DecodeError: type[Exception] = importlib.import_module("google.protobuf.message").DecodeError

QUANTISED = ("MatMulInteger", "ConvInteger", "QLinearMatMul", "MatMulNBits", "DequantizeLinear")
FLOAT_HINT = "give the float32 graph with --encoder; `python -m tools.convert.asr --float32` makes it"

Array = npt.NDArray[np.generic]


def read(path: Path) -> onnx.ModelProto:
    """The model in a file; ModelError when there is none."""
    try:
        return onnx.load(path)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", str(path)) from error
    except DecodeError as error:
        raise ModelError(f"is no ONNX graph: {error}", str(path)) from error


def float_encoder(path: Path) -> onnx.ModelProto:
    """The graph in a file in float32. Products quantised by onnxruntime's quantize_dynamic lose their int8.

    The weights are those of the int8 graph, so what rounding them has cost stays lost; what rounding the
    activations costs does not. ModelError for graphs quantised in other ways.
    """
    model = read(path)
    graph = Constants(model)
    for node in [node for node in model.graph.node if node.op_type == "MatMulInteger"]:
        _undo_int8(model, graph, node, str(path))
    prune(model)
    left = {node.op_type for node in model.graph.node} & set(QUANTISED)
    if left:
        raise ModelError(f"is quantised with {', '.join(sorted(left))}", str(path), FLOAT_HINT)
    del model.graph.value_info[:]
    return model


class Constants:
    """What a graph knows by name: its constants, and which node makes and which nodes take a tensor."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self._values = {one.name: one for one in model.graph.initializer}
        self.makers: dict[str, NodeProto] = {}
        self.takers: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            self.makers.update(dict.fromkeys(node.output, node))
            for name in filter(None, node.input):
                self.takers.setdefault(name, []).append(node)

    def value(self, name: str) -> Array | None:
        """The constant of that name, by way of Constant and Identity nodes; None when it is computed."""
        if name in self._values:
            return numpy_helper.to_array(self._values[name])
        node = self.makers.get(name)
        if node is not None and node.op_type == "Identity":
            return self.value(node.input[0])
        if node is not None and node.op_type == "Constant" and node.attribute[0].name == "value":
            return numpy_helper.to_array(node.attribute[0].t)
        return None

    def add(self, name: str, array: npt.ArrayLike) -> str:
        """A new constant; its name."""
        self._values[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        self.model.graph.initializer.append(self._values[name])
        return name


def prune(model: onnx.ModelProto) -> None:
    """Leaves out nodes and constants that no output needs."""
    graph = model.graph
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed.update(node.input)
    constants = [one for one in graph.initializer if one.name in needed]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)


def replace(model: onnx.ModelProto, old: NodeProto, new: Iterable[NodeProto]) -> None:
    """Puts nodes in the place of one."""
    nodes = list(model.graph.node)
    place = next(at for at, node in enumerate(nodes) if node is old or node == old)
    nodes[place : place + 1] = new
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _undo_int8(model: onnx.ModelProto, graph: Constants, product: NodeProto, where: str) -> None:
    """x → DynamicQuantizeLinear → MatMulInteger → Cast → · (scale of x · scale of W) becomes MatMul(x, W)."""
    rounded = graph.makers.get(product.input[0])
    weights = graph.value(product.input[1])
    casts = graph.takers.get(product.output[0], [])
    scaled = graph.takers.get(casts[0].output[0], []) if len(casts) == 1 else []
    if rounded is None or rounded.op_type != "DynamicQuantizeLinear" or weights is None or len(scaled) != 1:
        raise ModelError(f"has an int8 product of an unknown make: {product.name}", where, FLOAT_HINT)
    both = graph.makers[next(name for name in scaled[0].input if name != casts[0].output[0])]
    scale = graph.value(next(name for name in both.input if name != rounded.output[1]))
    if scale is None:
        raise ModelError(f"has an int8 product without a constant scale: {product.name}", where, FLOAT_HINT)
    zero = graph.value(product.input[3]) if len(product.input) > 3 else np.zeros(1, np.int32)
    floats = (weights.astype(np.float32) - np.asarray(zero, np.float32)) * np.asarray(scale, np.float32)
    name = graph.add(f"{product.input[1]}_float", floats)
    plain = helper.make_node("MatMul", [rounded.input[0], name], [scaled[0].output[0]], product.name)
    replace(model, scaled[0], [plain])


def without_nested_strides(model: onnx.ModelProto) -> int:
    """Convolutions of stride 2 before the last one as exact convolutions of stride 1 over pairs; how many.

    rknn-toolkit2 2.5.0 takes the length after two halvings for 1 when a graph has several shapes ("Got: 250
    Expected: 1"). y[t] = W0 x[2t-1] + W1 x[2t] + W2 x[2t+1] is a kernel of two over (x[2t], x[2t+1]).
    """
    halving = [node for node in model.graph.node if node.op_type == "Conv" and _ints(node, "strides") == [2]]
    graph = Constants(model)
    for node in halving[:-1]:
        weights = graph.value(node.input[1])
        if weights is None or weights.shape[2] != 3 or _ints(node, "pads") != [1, 1]:
            raise ModelError(f"{node.name}: only kernels of 3 with 1 frame of padding can be unfolded")
        replace(model, node, _over_pairs(graph, node, weights))
    prune(model)
    return len(halving[:-1])


def _over_pairs(graph: Constants, node: NodeProto, weights: Array) -> list[NodeProto]:
    width, channels, _ = weights.shape
    kernel = np.zeros((width, 2 * channels, 2), np.float32)
    kernel[:, channels:, 0], kernel[:, :channels, 1], kernel[:, channels:, 1] = np.moveaxis(weights, 2, 0)
    name = node.output[0]
    pairs = graph.add(f"{name}_pairs_shape", np.array([1, channels, -1, 2], np.int64))
    flat = graph.add(f"{name}_flat_shape", np.array([1, 2 * channels, -1], np.int64))
    inputs = [f"{name}_flat", graph.add(f"{name}_kernel", kernel), *node.input[2:]]
    return [
        helper.make_node("Reshape", [node.input[0], pairs], [f"{name}_pairs"]),
        helper.make_node("Transpose", [f"{name}_pairs"], [f"{name}_turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Reshape", [f"{name}_turned", flat], [f"{name}_flat"]),
        helper.make_node("Conv", inputs, [name], node.name, kernel_shape=[2], pads=[1, 0], strides=[1]),
    ]


def _ints(node: NodeProto, name: str) -> list[int]:
    return next((list(one.ints) for one in node.attribute if one.name == name), [])
