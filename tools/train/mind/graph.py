"""The mind as an ONNX graph, node by node: KV as inputs and outputs, weights in blocks of 4 or 8 bits."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.train.mind.model import Shape, rope_tables

BLOCK = 32
_OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
_SCALE_CANDIDATES = np.linspace(0.7, 1.0, 13)


def quantise(weight: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """[out, in] floats to packed bytes [out, blocks, BLOCK * bits / 8] and scales [out * blocks].

    Symmetric in blocks of 32 along `in`; of a few scales the one with the least squared error is taken.
    """
    half = 2 ** (bits - 1)
    blocks = weight.reshape(weight.shape[0], -1, BLOCK).astype(np.float32)
    peak = np.abs(blocks).max(-1, keepdims=True) / half + 1e-12
    best, scale = np.full(peak.shape, np.inf, np.float32), peak
    for share in _SCALE_CANDIDATES:
        for candidate in (peak * share, -peak * share):
            values = np.clip(np.round(blocks / candidate), -half, half - 1) * candidate
            error = ((values - blocks) ** 2).sum(-1, keepdims=True)
            scale = np.where(error < best, candidate, scale)
            best = np.minimum(error, best)
    codes = (np.clip(np.round(blocks / scale), -half, half - 1) + half).astype(np.uint8)
    if bits == 4:
        codes = codes[..., 0::2] | (codes[..., 1::2] << 4)
    return codes, scale.astype(np.float32).reshape(-1)


@dataclass
class Graph:
    """Collects nodes and weights; every method returns the name of what it computes."""

    shape: Shape
    weights: dict[str, np.ndarray]
    bits: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def node(self, kind: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output

    def constant(self, name: str, value: npt.ArrayLike, kind: type = np.float32) -> str:
        self.initializers.setdefault(name, numpy_helper.from_array(np.asarray(value, kind, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant("i_" + "_".join(map(str, values)), values, np.int64)

    def linear(self, x: str, *names: str) -> str:
        """One product with the weights of several projections, stacked."""
        weight = np.concatenate([self.weights[f"{name}.weight"] for name in names])
        codes, scales = quantise(weight, self.bits)
        packed, scale = (
            self.constant(f"{names[0]}.codes", codes, np.uint8),
            self.constant(f"{names[0]}.scales", scales),
        )
        sizes = {"K": weight.shape[1], "N": weight.shape[0], "bits": self.bits, "block_size": BLOCK}
        # accuracy_level 1 keeps activations in fp32, so that prefill in pieces equals prefill at once.
        return self.node("MatMulNBits", x, packed, scale, domain="com.microsoft", accuracy_level=1, **sizes)

    def norm(self, x: str, name: str) -> str:
        two, epsilon = self.constant("two", 2.0), self.shape.rms_norm_eps
        mean = self.node("ReduceMean", self.node("Pow", x, two), self.integers(-1), keepdims=1)
        size = self.node("Sqrt", self.node("Add", mean, self.constant("epsilon", epsilon)))
        return self.node("Mul", self.node("Div", x, size), self.constant(name, self.weights[name]))

    def split(self, x: str, axis: int, *sizes: int) -> list[str]:
        outputs = [f"Split_{len(self.nodes)}_{part}" for part in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.integers(*sizes)], outputs, axis=axis))
        return outputs

    def rotate(self, x: str, cos: str, sin: str) -> str:
        """x [1, n, heads, head_dim] with cos and sin [n, 1, head_dim / 2]."""
        a, b = self.split(x, -1, self.shape.head_dim // 2, self.shape.head_dim // 2)
        first = self.node("Sub", self.node("Mul", a, cos), self.node("Mul", b, sin))
        second = self.node("Add", self.node("Mul", b, cos), self.node("Mul", a, sin))
        return self.node("Concat", first, second, axis=-1)


def _positions(graph: Graph) -> tuple[str, str, str]:
    """cos and sin of the new tokens [n, 1, head_dim / 2], and the mask [n, past + n]."""
    scalar = graph.integers
    past = graph.node("Squeeze", graph.node("Shape", "past_key_values.0.key", start=2, end=3), scalar(0))
    fresh = graph.node("Squeeze", graph.node("Shape", "input_ids", start=1, end=2), scalar(0))
    total = graph.node("Add", past, fresh)
    one, zero = graph.constant("one", 1, np.int64), graph.constant("zero", 0, np.int64)
    rows = graph.node("Unsqueeze", graph.node("Range", past, total, one), scalar(1))
    allowed = graph.node("LessOrEqual", graph.node("Range", zero, total, one), rows)
    mask = graph.node("Where", allowed, graph.constant("open", 0.0), graph.constant("shut", -1e9))
    cos, sin = (table.numpy() for table in rope_tables(graph.shape))
    return (
        graph.node("Gather", graph.constant("cos", cos), rows),
        graph.node("Gather", graph.constant("sin", sin), rows),
        mask,
    )


def _attention(graph: Graph, layer: int, x: str, cos: str, sin: str, mask: str) -> str:
    shape, prefix = graph.shape, f"layers.{layer}.self_attn"
    heads, kv, dim = shape.num_attention_heads, shape.num_key_value_heads, shape.head_dim
    group = heads // kv
    joined = graph.linear(x, f"{prefix}.q_proj", f"{prefix}.k_proj", f"{prefix}.v_proj")
    q, k, v = graph.split(joined, -1, heads * dim, kv * dim, kv * dim)
    q = graph.rotate(graph.node("Reshape", q, graph.integers(1, -1, heads, dim)), cos, sin)
    k = graph.rotate(graph.node("Reshape", k, graph.integers(1, -1, kv, dim)), cos, sin)
    v = graph.node("Reshape", v, graph.integers(1, -1, kv, dim))
    present = []
    for kind, fresh in (("key", k), ("value", v)):
        turned = graph.node("Transpose", fresh, perm=[0, 2, 1, 3])
        past = f"past_key_values.{layer}.{kind}"
        present.append(graph.node("Concat", past, turned, axis=2, name=f"present.{layer}.{kind}"))
    # Queries of one group are stacked, so that keys need no copies: [1, kv, group, n, dim].
    q = graph.node(
        "Transpose", graph.node("Reshape", q, graph.integers(1, -1, kv, group, dim)), perm=[0, 2, 3, 1, 4]
    )
    keys = graph.node("Unsqueeze", graph.node("Transpose", present[0], perm=[0, 1, 3, 2]), graph.integers(2))
    scale = graph.constant("scale", dim**-0.5)
    scores = graph.node("Add", graph.node("Mul", graph.node("MatMul", q, keys), scale), mask)
    values = graph.node("Unsqueeze", present[1], graph.integers(2))
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
    mixed = graph.node(
        "Reshape", graph.node("Transpose", mixed, perm=[0, 3, 1, 2, 4]), graph.integers(1, -1, heads * dim)
    )
    return graph.linear(mixed, f"{prefix}.o_proj")


def _feed_forward(graph: Graph, layer: int, x: str) -> str:
    prefix, width = f"layers.{layer}.mlp", graph.shape.intermediate_size
    gate, up = graph.split(graph.linear(x, f"{prefix}.gate_proj", f"{prefix}.up_proj"), -1, width, width)
    open_gate = graph.node("Mul", gate, graph.node("Sigmoid", gate))
    return graph.linear(graph.node("Mul", open_gate, up), f"{prefix}.down_proj")


def build(shape: Shape, weights: dict[str, np.ndarray], bits: int) -> onnx.ModelProto:
    """The whole network.

    In: `input_ids` int64 [1, n], `past_key_values.{layer}.{key,value}` float [1, kv_heads, past, head_dim].
    Out: `logits` float [1, 1, vocabulary] of the last token, `present.{layer}.{key,value}` past and new.
    """
    graph = Graph(shape, weights, bits)
    table = graph.constant("embed_tokens.weight", weights["embed_tokens.weight"], np.float16)
    x = graph.node("Cast", graph.node("Gather", table, "input_ids"), to=TensorProto.FLOAT)
    cos, sin, mask = _positions(graph)
    for layer in range(shape.num_hidden_layers):
        normed = graph.norm(x, f"layers.{layer}.input_layernorm.weight")
        x = graph.node("Add", x, _attention(graph, layer, normed, cos, sin, mask))
        normed = graph.norm(x, f"layers.{layer}.post_attention_layernorm.weight")
        x = graph.node("Add", x, _feed_forward(graph, layer, normed))
    last = graph.node("Gather", x, graph.integers(-1), axis=1)
    head = graph.node("Transpose", graph.node("Cast", table, to=TensorProto.FLOAT), perm=[1, 0])
    graph.node("MatMul", graph.norm(last, "norm.weight"), head, name="logits")
    return _model(graph)


def _model(graph: Graph) -> onnx.ModelProto:
    shape = graph.shape
    cells = [(layer, kind) for layer in range(shape.num_hidden_layers) for kind in ("key", "value")]
    kv, dim = shape.num_key_value_heads, shape.head_dim
    value = helper.make_tensor_value_info
    inputs = [value("input_ids", TensorProto.INT64, [1, "n"])]
    inputs += [value(f"past_key_values.{i}.{k}", TensorProto.FLOAT, [1, kv, "past", dim]) for i, k in cells]
    outputs = [value("logits", TensorProto.FLOAT, [1, 1, shape.vocab_size])]
    outputs += [value(f"present.{i}.{k}", TensorProto.FLOAT, [1, kv, "total", dim]) for i, k in cells]
    body = helper.make_graph(graph.nodes, "mind", inputs, outputs, list(graph.initializers.values()))
    return helper.make_model(
        body, opset_imports=_OPSETS, ir_version=9, producer_name="epsilon tools/train/mind"
    )
