"""Int8 weights for a graph's matrix products, a scale for each column; convolutions stay float32.

Two ways to round what is multiplied with them, both in operators of the ONNX standard:

`whole`: one scale for all of the input. The quickest; onnxruntime fuses it. For the encoder, which always sees
a whole window.

`rows`: a scale for each row, and 14 bits as two planes of seven (input = scale * (128 * high + low)). A row's
result then hardly depends on what else is in the pass, so a draft that is checked in one pass is what decoding
token by token gives: with 8 bits, even for each row by itself, differences in the last float32 bit flip
roundings, which grow to the size of the rounding itself from layer to layer. For the decoder. Measured on the
shape of distil-small.en with random weights, one core, milliseconds of processor time for 1 and for 14 tokens,
and the largest difference of a log-probability between one pass of 24 tokens and token by token:

    float32                      21.9   39.0   0.000003
    int8, one scale (`whole`)     8.0   17.3   0.058
    int8, a scale for each row    7.7   18.2   0.020
    MatMulNBits, 8 bits, level 4  9.3   28.4   0.021     (groups of 32)
    MatMulNBits, 8 bits, level 0   370    354  0.000002  (float32 inputs)
    `rows`                        8.6   25.7   0.0009
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Way = Literal["whole", "rows"]

_PLANE, _STEPS = 128.0, 8064.0  # 63 * 128: the high plane is within ±63, the low one within ±64
_MIDDLE = (
    64  # zero point of the planes, which are stored unsigned; weights are signed, which is what is quick
)
_CONSTANTS: dict[str, np.ndarray] = {
    "rows_smallest": np.array(1e-10, np.float32),
    "rows_steps": np.array(_STEPS, np.float32),
    "rows_plane": np.array(_PLANE, np.float32),
    "rows_planes": np.array([[[_PLANE]], [[1.0]]], np.float32),
    "rows_share": np.array(1 / _PLANE, np.float32),
    "rows_one": np.array(1.0, np.float32),
    "rows_middle": np.array(_MIDDLE, np.uint8),
    "rows_first_axis": np.array([0], np.int64),
}


def quantise(source: Path, target: Path, way: Way) -> int:
    """Writes the graph with int8 weights; returns how many matrix products have them now."""
    model = onnx.load(source)
    count = Rewriting(model.graph, way).run()
    onnx.save(model, target)
    return count


class Rewriting:
    """Replaces each product with constant weights by one of integers."""

    def __init__(self, graph: onnx.GraphProto, way: Way) -> None:
        self.graph, self.way = graph, way
        self.weights = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
        self.nodes: list[onnx.NodeProto] = []
        self.rounded: dict[str, tuple[str, str, str]] = {}  # input → its integers, scale and zero point
        self.stored: dict[str, tuple[str, str]] = {}  # weights → their integers and scales

    def run(self) -> int:
        """Rewrites the graph in place; returns the number of products replaced."""
        count = 0
        for node in list(self.graph.node):
            if node.op_type == "MatMul" and node.input[1] in self.weights:
                self._replace(node)
                count += 1
            else:
                self.nodes.append(node)
        if self.way == "rows":
            for name, value in _CONSTANTS.items():
                self._constant(name, value)
        used = {name for node in self.nodes for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:], self.graph.node[:]
        self.graph.initializer.extend(kept)
        self.graph.node.extend(self.nodes)
        return count

    def _replace(self, node: onnx.NodeProto) -> None:
        source, weights = node.input
        if source not in self.rounded:
            self.rounded[source] = self._whole(source) if self.way == "whole" else self._rows(source)
        if weights not in self.stored:
            self.stored[weights] = self._store(weights)
        integers, scale, zero = self.rounded[source]
        stored, scales = self.stored[weights]
        out = node.output[0]
        sums = self._add("MatMulInteger", [integers, stored, zero], f"{out}_sums")
        real = self._add("Cast", [sums], f"{out}_real", to=TensorProto.FLOAT)
        if self.way == "whole":
            both = self._add("Mul", [scale, scales], f"{out}_scales")
            self._add("Mul", [real, both], out)
            return
        planes = self._add("Mul", [real, scale], f"{out}_planes")
        sound = self._add("ReduceSum", [planes, "rows_first_axis"], f"{out}_sum", keepdims=1)
        self._add("Mul", [sound, scales], out)

    def _whole(self, source: str) -> tuple[str, str, str]:
        names = (f"{source}_integers", f"{source}_scale", f"{source}_zero")
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [source], list(names)))
        return names

    def _rows(self, source: str) -> tuple[str, str, str]:
        """source [1, n, K] → planes [2, n, K] and what to multiply each of their rows with, [2, n, 1]."""
        size = self._add("Abs", [source], f"{source}_size")
        most = self._add("ReduceMax", [size], f"{source}_most", axes=[-1], keepdims=1)
        most = self._add("Max", [most, "rows_smallest"], f"{source}_most_safe")
        scale = self._add("Div", [most, "rows_steps"], f"{source}_scale")
        steps = self._add("Div", [source, scale], f"{source}_in_steps")
        share = self._add("Mul", [steps, "rows_share"], f"{source}_share")
        high = self._add("Round", [share], f"{source}_high")
        coarse = self._add("Mul", [high, "rows_plane"], f"{source}_coarse")
        low = self._add("Sub", [steps, coarse], f"{source}_low")
        planes = self._add("Concat", [high, low], f"{source}_both", axis=0)
        integers = self._add("QuantizeLinear", [planes, "rows_one", "rows_middle"], f"{source}_integers")
        return integers, self._add("Mul", [scale, "rows_planes"], f"{source}_scales"), "rows_middle"

    def _store(self, name: str) -> tuple[str, str]:
        integers, scales = rounded(numpy_helper.to_array(self.weights[name]))
        self._constant(f"{name}_integers", integers)
        self._constant(f"{name}_scales", scales)
        return f"{name}_integers", f"{name}_scales"

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _constant(self, name: str, value: np.ndarray) -> None:
        self.graph.initializer.append(numpy_helper.from_array(value, name))


def rounded(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [K, N] as whole numbers within ±127 and the scale of each column [N]."""
    scales = (np.maximum(np.abs(weights).max(0), 1e-12) / 127).astype(np.float32)
    return np.round(weights / scales).astype(np.int8), scales
