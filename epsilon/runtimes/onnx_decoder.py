"""Language models on onnxruntime: caches are buffers in which past and present are one, bound once.

The graph is that of tools/train/mind/graph.py. What a pass needs is bound when a cache is made: a token costs
three numbers written and one call; keys and values are written in place, and nothing but the row of logits is
copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from epsilon.errors import ModelError
from epsilon.runtimes.decoder import Array

CHUNK = (
    64  # tokens of a pass: longer prompts go in pieces, so that memory stays small and a turn can interrupt
)
# By accuracy level: sums of float32 are taken in another order when more tokens pass at once, and where inputs
# of products are rounded to int8 such a difference can become one of a whole step.
TOLERANCES = {"1": 1e-4, "4": 0.5}
PAST, PRESENT = "past_key_values", "present"
KINDS = ("key", "value")


class Cache:
    """Keys and values of one sequence [layers, 2, kv heads, limit, width]; the first `length` positions count."""

    def __init__(self, session: onnxruntime.InferenceSession, shape: tuple[int, ...]) -> None:
        self.cells: Array = np.zeros(shape, np.float32)  # memory that is never written is never taken
        self.length = 0
        self.tokens = 0  # how many `input_ids` are bound
        self.binding = session.io_binding()
        for layer, cells in enumerate(self.cells):
            for kind, cell in zip(KINDS, cells, strict=True):
                value = onnxruntime.OrtValue.ortvalue_from_numpy(cell[None])
                self.binding.bind_ortvalue_input(f"{PAST}.{layer}.{kind}", value)
                self.binding.bind_ortvalue_output(f"{PRESENT}.{layer}.{kind}", value)


class OnnxDecoder:
    """A graph in an onnxruntime session (epsilon.runtimes.decoder.Decoder)."""

    def __init__(self, session: onnxruntime.InferenceSession, path: Path) -> None:
        self._session = session
        self._shape = _cache_shape(session, path)
        self.limit = self._shape[3]
        self.chunk = min(CHUNK, self.limit)
        self.tolerance = _tolerance(session)
        self._last, self._total = np.zeros(1, np.int32), np.zeros((), np.int32)
        self._logits = np.zeros((1, 1, session.get_outputs()[0].shape[2]), np.float32)
        from_numpy = onnxruntime.OrtValue.ortvalue_from_numpy
        self._counts = {
            "seqlens_k": from_numpy(self._last),
            "total_sequence_length": from_numpy(self._total),
        }
        self._scores = from_numpy(self._logits)
        self._ids: dict[int, tuple[np.ndarray, onnxruntime.OrtValue]] = {}

    def new(self) -> Cache:
        """An empty cache."""
        cache = Cache(self._session, self._shape)
        for name, value in self._counts.items():
            cache.binding.bind_ortvalue_input(name, value)
        cache.binding.bind_ortvalue_output("logits", self._scores)
        return cache

    def length(self, cache: Cache) -> int:
        """How many positions it remembers."""
        return cache.length

    def run(self, cache: Cache, ids: Sequence[int]) -> Array:
        """Append `ids`; the scores [vocabulary] of the token after the last."""
        count, total = len(ids), cache.length + len(ids)
        if not 0 < count <= self.chunk or total > self.limit:
            raise ValueError(
                f"{count} tokens after {cache.length}: a pass takes {self.chunk} up to {self.limit}"
            )
        tokens, value = self._bound(count)
        if cache.tokens != count:
            cache.binding.bind_ortvalue_input("input_ids", value)
            cache.tokens = count
        tokens[0] = ids
        self._last[0], self._total[()] = total - 1, total
        self._session.run_with_iobinding(cache.binding)
        cache.length = total
        return self._logits[0, 0].copy()

    def keep(self, cache: Cache, length: int) -> None:
        """Forget all but the first `length` positions; what lies behind them is overwritten when it is needed."""
        if not 0 <= length <= cache.length:
            raise ValueError(f"cannot keep {length} of {cache.length} positions")
        cache.length = length

    def fork(self, cache: Cache) -> Cache:
        """A second cache with the same past; the positions in use are copied."""
        return self.restore(self._used(cache))

    def store(self, cache: Cache) -> Array:
        """Keys and values [layers, 2, kv heads, length, width]."""
        return self._used(cache).copy()

    def restore(self, stored: Array) -> Cache:
        """A cache that remembers it."""
        wanted = (
            *self._shape[:3],
            min(self.limit, stored.shape[3] if stored.ndim == 5 else 0),
            self._shape[4],
        )
        if stored.shape != wanted:
            raise ValueError(
                f"a cache of the shape {stored.shape} is not this model's, {self._shape} at most"
            )
        cache = self.new()
        cache.length = stored.shape[3]
        self._used(cache)[:] = stored
        return cache

    def _used(self, cache: Cache) -> Array:
        return cache.cells[:, :, :, : cache.length]

    def _bound(self, count: int) -> tuple[np.ndarray, onnxruntime.OrtValue]:
        """The array that passes of so many tokens read them from."""
        if count not in self._ids:
            tokens = np.zeros((1, count), np.int64)
            self._ids[count] = tokens, onnxruntime.OrtValue.ortvalue_from_numpy(tokens)
        return self._ids[count]


def _cache_shape(session: onnxruntime.InferenceSession, path: Path) -> tuple[int, ...]:
    """[layers, 2, kv heads, limit, width] by the graph's inputs."""
    shapes = {value.name: value.shape for value in session.get_inputs()}
    layers = sum(name.startswith(PAST) for name in shapes) // len(KINDS)
    wanted = {f"{PAST}.{layer}.{kind}" for layer in range(layers) for kind in KINDS}
    wanted |= {"input_ids", "seqlens_k", "total_sequence_length", f"{PAST}.0.key"}
    hint = "made by an older version? python -m tools.train.mind.export makes it anew"
    if missing := wanted - set(shapes):
        raise ModelError(f"the graph lacks the input {min(missing)}", where=str(path), hint=hint)
    _batch, heads, limit, width = shapes[f"{PAST}.0.key"]
    if not isinstance(limit, int):
        raise ModelError("the graph does not say how many positions it holds", where=str(path), hint=hint)
    return (layers, len(KINDS), int(heads), limit, int(width))


def _tolerance(session: onnxruntime.InferenceSession) -> float:
    """The graph says in its properties whether its products round their inputs."""
    level = session.get_modelmeta().custom_metadata_map.get("accuracy_level", "")
    return TOLERANCES.get(level, max(TOLERANCES.values()))
