"""A Whisper-type encoder with random weights in which single channels of the residual stream grow, as planted.

Public Whisper checkpoints have such channels; these are put in on purpose, by the bias of a feed-forward part.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

WIDTH, BANDS, LAYERS = 32, 80, 2
PLANTED = 100_000.0  # as large as float16 cannot hold
CHANNEL = 7


class Builder:
    """Nodes and random weights as they are named."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}

    def weight(self, name: str, *shape: int, size: float | None = None) -> str:
        """A random constant, its rows of length one unless `size` is given."""
        scale = shape[0] ** -0.5 if size is None else size
        self.weights[name] = (self._rng.standard_normal(shape) * scale).astype(np.float32)
        return name

    def node(self, op: str, inputs: list[str], output: str, **settings: object) -> str:
        """A node named after its output."""
        self.nodes.append(helper.make_node(op, inputs, [output], output, **settings))  # type: ignore[arg-type]
        return output

    def number(self, name: str, *values: float, dtype: type = np.float32) -> str:
        """A constant with these numbers."""
        self.weights[name] = np.array(values[0] if len(values) == 1 else values, dtype)
        return name

    def linear(self, x: str, name: str, wide: int, out: int) -> str:
        """x W + b."""
        product = self.node("MatMul", [x, self.weight(f"{name}.w", wide, out)], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.b", out, size=0.02)], f"{name}.out")

    def norm(self, x: str, name: str) -> str:
        """A LayerNormalization with weights about 1."""
        self.weight(f"{name}.gain", WIDTH, size=0.02)
        self.weights[f"{name}.gain"] += 1
        inputs = [x, f"{name}.gain", self.weight(f"{name}.shift", WIDTH, size=0.02)]
        return self.node("LayerNormalization", inputs, f"{name}.norm", axis=-1, epsilon=1e-5)

    def gelu(self, x: str) -> str:
        """The exact one, in the operations that torch exports."""
        part = self.node("Erf", [self.node("Div", [x, self.number("root2", 2**0.5)], f"{x}.div")], f"{x}.erf")
        whole = self.node("Add", [part, self.number("one", 1.0)], f"{x}.plus")
        return self.node(
            "Mul", [self.node("Mul", [x, whole], f"{x}.times"), self.number("half", 0.5)], f"{x}.gelu"
        )


def encoder(planted: float = PLANTED, seed: int = 0) -> onnx.ModelProto:
    """mel [1, 80, frames] → cross_k, cross_v [1, frames / 2, WIDTH]; one head, no stacking."""
    build = Builder(seed)
    kernel = build.weight("conv.w", WIDTH, BANDS, 3, size=(3 * BANDS) ** -0.5)
    folded = build.node("Conv", ["mel", kernel], "conv", kernel_shape=[3], strides=[2], pads=[1, 1])
    x = build.node("Transpose", [build.gelu(folded)], "x0", perm=[0, 2, 1])
    for layer in range(LAYERS):
        x = _layer(build, x, f"layer{layer}")
    build.weights["layer0.narrow.b"][CHANNEL] = planted
    last = build.norm(x, "last")
    for name in ("cross_k", "cross_v"):
        build.node("MatMul", [last, build.weight(f"{name}.w", WIDTH, WIDTH)], name)
    constants = [numpy_helper.from_array(array, name) for name, array in build.weights.items()]
    mel = helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, BANDS, "frames"])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "t", WIDTH])
        for name in ("cross_k", "cross_v")
    ]
    graph = helper.make_graph(build.nodes, "encoder with planted outliers", [mel], outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _layer(build: Builder, x: str, name: str) -> str:
    """Self-attention and feed-forward part, each normalised first."""
    own = build.norm(x, f"{name}.own")
    query, key, value = (
        build.linear(own, f"{name}.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")
    )
    turned = build.node("Transpose", [key], f"{name}.turned", perm=[0, 2, 1])
    scores = build.node("MatMul", [query, turned], f"{name}.scores")
    small = build.node("Mul", [scores, build.number("scale", WIDTH**-0.5)], f"{name}.scaled")
    looks = build.node("Softmax", [small], f"{name}.looks", axis=-1)
    mixed = build.linear(build.node("MatMul", [looks, value], f"{name}.mixed"), f"{name}.mix", WIDTH, WIDTH)
    x = build.node("Add", [x, mixed], f"{name}.x1")
    wide = build.gelu(build.linear(build.norm(x, f"{name}.feed"), f"{name}.widen", WIDTH, 4 * WIDTH))
    return build.node("Add", [x, build.linear(wide, f"{name}.narrow", 4 * WIDTH, WIDTH)], f"{name}.x2")
