"""The shapes, each a graph as the toy runs it, of RANDOM weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from tools.bench.topology import LIMIT
from tools.convert.llm.architecture import Architecture
from tools.train.mind import graph
from tools.train.mind.graph import EXACT, ROUNDED, Array, Build

VOCABULARY = 2048
SCALE = 0.05


@dataclass(frozen=True)
class Shape:
    """Layers x width, the feed-forward network's inner width, heads and how many of keys and values."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int

    @property
    def name(self) -> str:
        """As people say it."""
        return f"{self.layers}x{self.width}"

    @property
    def parameters(self) -> int:
        """Of all matrices and norms; the embedding, which is the last layer too, counts once."""
        attention = 2 * self.width**2 + 2 * self.width * self.kv_heads * self.width // self.heads
        layer = attention + 3 * self.width * self.inner + 2 * self.width
        return self.layers * layer + self.width + VOCABULARY * self.width

    def sizes(self) -> Architecture:
        """By the names of a Hugging Face configuration."""
        return Architecture(
            model_type="mistral",
            vocab_size=VOCABULARY,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.width // self.heads,
            rms_norm_eps=1e-5,
            rope_theta=10000.0,
            max_position_embeddings=LIMIT,
            tie_word_embeddings=True,
        )


@dataclass(frozen=True)
class Block:
    """Shapes of one size, and how their graphs are built."""

    title: str
    how: Build
    shapes: tuple[Shape, ...]


# The inner widths are near 2.75 times the width, as far as equal parameter counts let them; onnxruntime wants
# heads of 16, 32, 48 ... numbers.
LARGE = Block(
    "18 M parameters, int4 weights and int8 activations",
    Build(4, ROUNDED, head_bits=4),
    (
        Shape(4, 640, 1664, 10, 2),
        Shape(6, 512, 1408, 8, 2),
        Shape(10, 384, 1152, 6, 2),
        Shape(16, 320, 864, 10, 2),
        Shape(24, 256, 736, 8, 2),
        Shape(32, 224, 640, 7, 1),
    ),
)
POCKET = Block(
    "5 M parameters, as the pocket mind is built: int4 weights, float32 activations",
    Build(4, EXACT),
    (
        Shape(3, 352, 1088, 11, 1),
        Shape(4, 320, 864, 5, 1),
        Shape(6, 256, 704, 4, 2),
        Shape(12, 192, 480, 4, 2),
        Shape(16, 160, 480, 5, 1),
    ),
)
BLOCKS = {"large": LARGE, "pocket": POCKET}


class RandomWeights(Mapping[str, Array]):
    """Weights by the names of a state dict, made when they are asked for; the same name has the same ones."""

    def __init__(self, shape: Shape) -> None:
        width, kv_width = shape.width, shape.kv_heads * shape.width // shape.heads
        self._sizes = {
            "q_proj": (width, width),
            "k_proj": (kv_width, width),
            "v_proj": (kv_width, width),
            "o_proj": (width, width),
            "gate_proj": (shape.inner, width),
            "up_proj": (shape.inner, width),
            "down_proj": (width, shape.inner),
            "embed_tokens": (VOCABULARY, width),
        }
        self._width = width

    def __getitem__(self, name: str) -> Array:
        if name == "lm_head.weight":  # tied: the graph looks whether there is one
            raise KeyError(name)
        sizes = self._sizes.get(name.split(".")[-2])
        if sizes is None:
            return np.ones(self._width, np.float32)
        seed = np.frombuffer(name.encode(), np.uint8)
        numbers = np.random.default_rng(seed).standard_normal(sizes, np.float32)
        return numbers * np.float32(SCALE)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


def build(shape: Shape, how: Build) -> onnx.ModelProto:
    """The graph, as tools/train/mind/graph.py makes those that ship."""
    return graph.build(shape.sizes(), RandomWeights(shape), how)


def kept(folder: Path, name: str, shape: Shape, how: Build) -> Path:
    """A folder with the shape's model.onnx, built when it is not there or older than what builds it."""
    made = folder / f"{name}-{shape.name}" / "model.onnx"
    if not made.exists() or made.stat().st_mtime < Path(graph.__file__).stat().st_mtime:
        print(f"building {shape.name} of RANDOM weights", flush=True)
        made.parent.mkdir(parents=True, exist_ok=True)
        unfinished = made.with_suffix(".unfinished")
        onnx.save(build(shape, how), unfinished)
        unfinished.rename(made)
    return made.parent
