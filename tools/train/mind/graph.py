"""A Mistral-type network as the ONNX graph that epsilon/runtimes/onnx_decoder.py drives; needs no torch.

In: `input_ids` int64 [1, n], `seqlens_k` int32 [1] (positions after the pass, less one) and
`total_sequence_length` int32 [] (positions after the pass), `past_key_values.{layer}.{key,value}` float
[1, kv heads, limit, head_dim].
Out: `logits` float [1, 1, vocabulary] of the last token, `present.{layer}.{key,value}` like the past. Past and
present are one buffer: of it the pass reads the positions before it and writes its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCK = 32
EXACT, ROUNDED = 1, 4  # accuracy levels: products of float32 numbers, or of numbers rounded to int8
_MICROSOFT = "com.microsoft"
_OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]
# The last ones find the scales of weights that were rounded before, to blocks whose largest code is 7 to 4.
_SCALE_CANDIDATES = np.concatenate((np.linspace(0.7, 1.0, 13), 8 / np.arange(7, 3, -1)))

Array = npt.NDArray[Any]


class Sizes(Protocol):
    """Sizes of a network, by the names of a Hugging Face Mistral configuration."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def intermediate_size(self) -> int: ...
    @property
    def num_hidden_layers(self) -> int: ...
    @property
    def num_attention_heads(self) -> int: ...
    @property
    def num_key_value_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...
    @property
    def rms_norm_eps(self) -> float: ...
    @property
    def rope_theta(self) -> float: ...
    @property
    def max_position_embeddings(self) -> int: ...


@dataclass(frozen=True)
class Build:
    """How the graph is made. `limit` 0 means as many positions as the network was made for."""

    bits: int = 4  # of the weights
    accuracy: int = EXACT
    head_bits: int | None = None  # of the last product's weights; None: the embedding's, in float
    limit: int = 0


def quantise(weight: Array, bits: int) -> tuple[Array, Array]:
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


def dequantise(codes: Array, scales: Array, bits: int) -> Array:
    """The floats [out, in] that `quantise` stored."""
    rows = codes.shape[0]
    if bits == 4:
        codes = np.stack([codes & 15, codes >> 4], axis=-1)
    values = codes.reshape(rows, -1, BLOCK).astype(np.float32) - np.float32(2 ** (bits - 1))
    return (values * scales.reshape(rows, -1, 1)).reshape(rows, -1)


def rope_frequencies(sizes: Sizes) -> Array:
    """How far each pair of a head's numbers turns from one position to the next, in radians [head_dim / 2]."""
    exponents = np.arange(0, sizes.head_dim, 2, dtype=np.float32) / np.float32(sizes.head_dim)
    return (1.0 / np.float32(sizes.rope_theta) ** exponents).astype(np.float32)


@dataclass
class Graph:
    """Collects nodes and weights; every method returns the name of what it computes."""

    sizes: Sizes
    weights: Mapping[str, Array]
    how: Build
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def node(self, kind: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], output, domain=domain, **attributes))
        return output

    def constant(self, name: str, value: npt.ArrayLike, kind: type = np.float32) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.asarray(value, kind, order="C"), name)
        return name

    def packed(self, names: tuple[str, ...], bits: int) -> tuple[Array, Array]:
        """Codes and scales of several projections, stacked."""
        return quantise(np.concatenate([self.weights[f"{name}.weight"] for name in names]), bits)

    def linear(self, x: str, *names: str, bits: int = 0, output: str = "") -> str:
        """One product with the weights of several projections."""
        bits = bits or self.how.bits
        codes, scales = self.packed(names, bits)
        inputs = (
            x,
            self.constant(f"{names[0]}.codes", codes, np.uint8),
            self.constant(f"{names[0]}.scales", scales),
        )
        sizes = {"N": codes.shape[0], "K": codes.shape[1] * BLOCK, "bits": bits, "block_size": BLOCK}
        level = self.how.accuracy
        return self.node(
            "MatMulNBits", *inputs, domain=_MICROSOFT, name=output, accuracy_level=level, **sizes
        )

    def norm(self, x: str, name: str) -> str:
        weight = self.constant(name, self.weights[name])
        return self.node(
            "SimplifiedLayerNormalization", x, weight, axis=-1, epsilon=self.sizes.rms_norm_eps, stash_type=1
        )

    def add_and_norm(self, x: str, more: str, name: str) -> tuple[str, str]:
        """The norm of x + more, and x + more."""
        weight = self.constant(name, self.weights[name])
        normed, total = f"Norm_{len(self.nodes)}", f"Sum_{len(self.nodes)}"
        node = helper.make_node(
            "SkipSimplifiedLayerNormalization",
            [x, more, weight],
            [normed, "", "", total],
            normed,
            domain=_MICROSOFT,
            epsilon=self.sizes.rms_norm_eps,
        )
        self.nodes.append(node)
        return normed, total

    def last(self, x: str) -> str:
        """The last position alone."""
        return self.node("Gather", x, self.constant("last", [-1], np.int64), axis=1)


def _attention(graph: Graph, layer: int, x: str) -> str:
    sizes, prefix = graph.sizes, f"layers.{layer}.self_attn"
    joined = graph.linear(x, *(f"{prefix}.{name}_proj" for name in "qkv"))
    mixed = f"mixed.{layer}"
    node = helper.make_node(
        "GroupQueryAttention",
        [
            *(joined, "", ""),
            *(f"past_key_values.{layer}.{kind}" for kind in ("key", "value")),
            *("seqlens_k", "total_sequence_length", "cos", "sin"),
        ],
        [mixed, *(f"present.{layer}.{kind}" for kind in ("key", "value"))],
        mixed,
        domain=_MICROSOFT,
        num_heads=sizes.num_attention_heads,
        kv_num_heads=sizes.num_key_value_heads,
        do_rotary=1,
        rotary_interleaved=0,
        scale=sizes.head_dim**-0.5,
    )
    graph.nodes.append(node)
    return mixed


def _feed_forward(graph: Graph, layer: int, x: str) -> str:
    prefix, both = f"layers.{layer}.mlp", [f"gate.{layer}", f"up.{layer}"]
    joined = graph.linear(x, f"{prefix}.gate_proj", f"{prefix}.up_proj")
    graph.nodes.append(helper.make_node("Split", [joined], both, both[0], axis=-1, num_outputs=2))
    open_gate = graph.node("Mul", both[0], graph.node("Sigmoid", both[0]))  # quicker than one QuickGelu
    return graph.linear(graph.node("Mul", open_gate, both[1]), f"{prefix}.down_proj")


def build(
    sizes: Sizes, weights: Mapping[str, Array], how: Build, frequencies: Array | None = None
) -> onnx.ModelProto:
    """The whole network, of weights by the names of a state dict (`layers.0.mlp.up_proj.weight`).

    `frequencies` [head_dim / 2] replace those that follow from rope_theta.
    """
    graph = Graph(sizes, weights, how)
    limit = how.limit or sizes.max_position_embeddings
    turns = rope_frequencies(sizes) if frequencies is None else frequencies
    angles = np.outer(np.arange(limit, dtype=np.float32), turns)
    graph.constant("cos", np.cos(angles))
    graph.constant("sin", np.sin(angles))
    table = graph.constant("embed_tokens.weight", weights["embed_tokens.weight"], np.float16)
    x = graph.node("Cast", graph.node("Gather", table, "input_ids"), to=TensorProto.FLOAT)
    normed = graph.norm(x, "layers.0.input_layernorm.weight")
    for layer in range(sizes.num_hidden_layers):
        mixed = _attention(graph, layer, normed)
        following = f"layers.{layer + 1}.input_layernorm.weight"
        if layer == sizes.num_hidden_layers - 1:  # nothing but the last token goes on from here
            mixed, x, following = graph.last(mixed), graph.last(x), "norm.weight"
        mixed = graph.linear(mixed, f"layers.{layer}.self_attn.o_proj")
        normed, x = graph.add_and_norm(x, mixed, f"layers.{layer}.post_attention_layernorm.weight")
        normed, x = graph.add_and_norm(x, _feed_forward(graph, layer, normed), following)
    _head(graph, normed, table)
    return _model(graph, limit)


def _head(graph: Graph, x: str, table: str) -> None:
    if graph.how.head_bits:
        name = "lm_head" if "lm_head.weight" in graph.weights else "embed_tokens"
        graph.linear(x, name, bits=graph.how.head_bits, output="logits")
        return
    if "lm_head.weight" in graph.weights:
        table = graph.constant("lm_head.weight", graph.weights["lm_head.weight"], np.float16)
    head = graph.node("Transpose", graph.node("Cast", table, to=TensorProto.FLOAT), perm=[1, 0])
    graph.node("MatMul", x, head, name="logits")


def _model(graph: Graph, limit: int) -> onnx.ModelProto:
    sizes, value = graph.sizes, helper.make_tensor_value_info
    cells = [f"{layer}.{kind}" for layer in range(sizes.num_hidden_layers) for kind in ("key", "value")]
    cache = [1, sizes.num_key_value_heads, limit, sizes.head_dim]
    inputs = [value("input_ids", TensorProto.INT64, [1, "n"])]
    inputs += [
        value("seqlens_k", TensorProto.INT32, [1]),
        value("total_sequence_length", TensorProto.INT32, []),
    ]
    inputs += [value(f"past_key_values.{cell}", TensorProto.FLOAT, cache) for cell in cells]
    outputs = [value("logits", TensorProto.FLOAT, [1, 1, sizes.vocab_size])]
    outputs += [value(f"present.{cell}", TensorProto.FLOAT, cache) for cell in cells]
    body = helper.make_graph(graph.nodes, "mind", inputs, outputs, list(graph.initializers.values()))
    model = helper.make_model(body, opset_imports=_OPSETS, ir_version=9, producer_name="epsilon")
    helper.set_model_props(model, {"accuracy_level": str(graph.how.accuracy)})
    return model
