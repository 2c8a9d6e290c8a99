"""The toy's runtimes as workers: python -m tools.bench.llm.own FOLDER RUNTIME THREADS REFERENCE."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.realtime import Seat
from tools.bench.llm.measures import Greedy, Loaded, tasks
from tools.bench.peers.serving import serve

PACKAGES = {"onnx": "onnxruntime", "mlc": "apache-tvm"}
EMBEDDING = "embed_tokens"  # in its tensor's name; a token reads one row of it


class Own(Greedy):
    """A decoder (epsilon.runtimes.decoder) with one cache."""

    def __init__(self, decoder: Any) -> None:
        self._decoder, self._cache = decoder, decoder.new()

    def clear(self) -> None:
        """Forget all tokens."""
        self._decoder.keep(self._cache, 0)

    def run(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """A pass over more tokens, in pieces that the decoder takes: the scores of the next."""
        scores = np.zeros(0, np.float32)
        for start in range(0, len(ids), self._decoder.chunk):
            scores = self._decoder.run(self._cache, ids[start : start + self._decoder.chunk])
        return scores


def load(folder: Path, runtime: str, threads: int) -> Loaded:
    """The decoder as the toy's engine loads it, on so many cores."""
    module = importlib.import_module(f"epsilon.runtimes.{runtime}")
    compiler = version("apache-tvm") if runtime == "mlc" else ""
    model = Model("bench", folder, "llm", "mistral", "", "", "", {}, compiler)
    decoder = module.load_decoder(model, Seat(cores=tuple(range(threads))))
    size = mlc_bytes(folder) if runtime == "mlc" else onnx_bytes(folder / "model.onnx")
    return Loaded(Own(decoder), f"{PACKAGES[runtime]} {version(PACKAGES[runtime])}", size)


def onnx_bytes(path: Path) -> int:
    """Of all weights but the embedding."""
    import onnx

    weights = onnx.load(path).graph.initializer
    return sum(len(one.raw_data) for one in weights if EMBEDDING not in one.name)


def mlc_bytes(folder: Path) -> int:
    """Of all tensors but the embedding."""
    shards = json.loads((folder / "tensor-cache.json").read_text(encoding="utf-8"))["records"]
    return sum(
        int(one["nbytes"]) for shard in shards for one in shard["records"] if EMBEDDING not in one["name"]
    )


def main() -> None:
    """Loads one and serves."""
    folder, runtime, threads, reference = sys.argv[1:]
    serve(tasks(lambda: load(Path(folder), runtime, int(threads)), Path(reference)))


if __name__ == "__main__":
    main()
