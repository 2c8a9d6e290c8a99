"""Two runtimes side by side: whatever an engine asks of the one, the CPU computes as well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from epsilon.realtime import Seat
from epsilon.runtimes import Array, FixedGraph, Graph, Runtime, onnx
from epsilon.runtimes.decoder import Decoder
from epsilon.selftest.found import Figure

TOKENS = 32  # that a mind digests: more than a kernel takes at once

Arrays = Mapping[str, Array]


@dataclass
class Comparison:
    """How like the CPU's the results of an accelerator are, in the worst of all calls, and how long both took."""

    name: str
    likeness: float = 1.0
    calls: int = 0
    took_s: float = 0.0
    cpu_took_s: float = 0.0

    def call(self, compute: Callable[[], Arrays], on_cpu: Callable[[], Arrays]) -> dict[str, Array]:
        """Compute both ways; the first result, with which the engine goes on."""
        began_s = time.monotonic()
        found = compute()
        between_s = time.monotonic()
        expected = on_cpu()
        self.took_s += between_s - began_s
        self.cpu_took_s += time.monotonic() - between_s
        self.calls += 1
        self.likeness = min(self.likeness, *(likeness(found[name], expected[name]) for name in expected))
        return dict(found)

    def figures(self, stage: str) -> dict[str, Figure]:
        """For the line of the item, times of one call."""
        calls = max(1, self.calls)
        return {
            f"{stage}_{self.name}_likeness": round(self.likeness, 4),
            f"{stage}_{self.name}_ms": round(1000 * self.took_s / calls, 1),
            f"{stage}_{self.name}_cpu_ms": round(1000 * self.cpu_took_s / calls, 1),
        }


def likeness(found: Array, expected: Array) -> float:
    """The cosine between two arrays, 1 where they point the same way; 0 where shapes differ or a number is none."""
    one, other = np.asarray(found, np.float64).ravel(), np.asarray(expected, np.float64).ravel()
    if np.shape(found) != np.shape(expected) or not np.isfinite(one).all():
        return 0.0
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else float(np.array_equal(one, other))


@dataclass
class Beside:
    """A graph on an accelerator and the same on the CPU; the engine sees the first (epsilon.runtimes.Graph)."""

    graph: Graph
    on_cpu: Graph
    comparison: Comparison

    def __post_init__(self) -> None:
        self.inputs, self.outputs = self.graph.inputs, self.graph.outputs

    def __call__(self, feeds: Arrays) -> dict[str, Array]:
        return self.comparison.call(lambda: self.graph(feeds), lambda: self.on_cpu(feeds))


class FixedBeside(Beside):
    """The same where the accelerator's graph takes a few shapes only (epsilon.runtimes.FixedGraph)."""

    @property
    def fixed(self) -> Mapping[str, tuple[tuple[int, ...], ...]]:
        """Every shape that an input can have."""
        assert isinstance(self.graph, FixedGraph)
        return self.graph.fixed


@dataclass
class Compared:
    """A runtime whose graphs are each run beside the CPU's; what it runs on the CPU itself is left alone."""

    runtime: Runtime
    comparisons: list[Comparison] = field(default_factory=list)

    def load(self, path: Path, seat: Seat) -> Graph:
        """The graph in an ONNX file, for an engine."""
        graph = self.runtime.load(path, seat)
        if isinstance(graph, onnx.OnnxGraph):
            return graph
        self.comparisons.append(Comparison(path.stem))
        kind = FixedBeside if isinstance(graph, FixedGraph) else Beside
        return kind(graph, onnx.load(path, seat), self.comparisons[-1])


def compare_decoders(decoder: Decoder, on_cpu: Decoder) -> Comparison:
    """Both digest the same tokens at once and one more, as a prompt and an answer are."""
    comparison = Comparison("logits")
    cache, cache_on_cpu = decoder.new(), on_cpu.new()
    count = min(TOKENS, decoder.chunk, on_cpu.chunk)
    for ids in (list(range(1, count + 1)), [1]):
        comparison.call(
            partial(_scores, decoder, cache, ids),
            partial(_scores, on_cpu, cache_on_cpu, ids),
        )
    return comparison


def _scores(decoder: Decoder, cache: object, ids: list[int]) -> Arrays:
    return {"logits": decoder.run(cache, ids)}
