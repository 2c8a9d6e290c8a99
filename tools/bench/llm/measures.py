"""What every engine is asked for, by the same few lines: prefill, decode, and what it holds.

Uses numpy and the standard library alone, for it also runs where only the peers are installed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tools.bench.llm import CONTEXT, DECODED, PIECES, SEEN
from tools.bench.peers.serving import Given, Task

IDS, REFERENCE = "ids.npy", "reference.npy"


class Engine(Protocol):
    """One sequence of a loaded network."""

    def clear(self) -> None:
        """Forget all tokens."""

    def append(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Take in more tokens; the scores [vocabulary] of the next."""

    def decode(self, count: int) -> None:
        """So many times the likeliest next token, each taken in, after at least one was appended."""


class Greedy:
    """Decodes by appending what scored best."""

    _scores: npt.NDArray[np.float32]

    def append(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Take in more tokens; the scores [vocabulary] of the next."""
        self._scores = self.run(ids)
        return self._scores

    def decode(self, count: int) -> None:
        """So many times the likeliest next token, each taken in."""
        for _ in range(count):
            self._scores = self.run([int(self._scores.argmax())])

    def run(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """A pass over more tokens: the scores [vocabulary] of the next."""
        raise NotImplementedError


@dataclass(frozen=True)
class Loaded:
    """An engine, and what is known of it: the version, and the bytes of weights that a token's pass reads."""

    engine: Engine
    version: str
    weight_bytes: int


@dataclass(frozen=True)
class Facts:
    """What a worker says of itself after its runs."""

    version: str
    load_s: float
    peak_mb: float
    weight_bytes: int
    likeness: float | None  # correlation of its scores with those of the network in float32


def tasks(load: Callable[[], Loaded], reference: Path) -> dict[str, Task]:
    """Loads, and offers everything that is measured."""
    began_s = time.perf_counter()
    loaded = load()
    load_s = time.perf_counter() - began_s
    engine = loaded.engine

    def facts(ids: Given) -> Facts:
        engine.clear()
        scores = engine.append(ids[:SEEN].tolist())
        likeness = alike(scores, np.load(reference)) if reference.exists() else None
        return Facts(loaded.version, load_s, peak_mb(), loaded.weight_bytes, likeness)

    found = {f"prefill {count}": _prefill(engine, count) for count in PIECES}
    found["decode"] = Task(lambda ids: _decode(engine, ids))
    found["facts"] = Task(lambda ids: lambda: facts(ids), lambda said: json.dumps(asdict(said)))
    return found


def alike(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Correlation of two vectors of scores: 1 when one is the other, moved or scaled."""
    return float(np.corrcoef(one, other)[0, 1])


def peak_mb() -> float:
    """The most memory that this process has held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _prefill(engine: Engine, count: int) -> Task:
    def prepare(ids: Given) -> Callable[[], object]:
        piece = ids[:count].tolist()
        engine.clear()
        return lambda: engine.append(piece)

    return Task(prepare, lambda _: "")


def _decode(engine: Engine, ids: Given) -> Callable[[], None]:
    engine.clear()
    engine.append(ids[:CONTEXT].tolist())
    return lambda: engine.decode(DECODED)
