"""Writes a squeezed network as a model folder and holds its graphs against torch."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tools.convert.asr.graph import Graph
from tools.convert.asr.nbits import store
from tools.convert.asr.numbers import Arrays, alike, same_within, told
from tools.convert.asr.subjects import Subject

_LENGTHS = {"frames": 240, "sound": 60, "new": 4, "past": 3}  # none of them was used for the export
_SAME, _ALIKE = 1e-3, 0.998


def as_stored(model: Any) -> Any:
    """A copy whose parameters are the float16 ones that the files hold; codes and scales are as they are."""
    result = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in result.parameters():
            parameter.copy_(parameter.half().float())
    return result


def write_squeezed(
    subject: Subject, model: Any, levels: tuple[int, int], folder: Path, tell: Callable[[str], None]
) -> None:
    """Writes both graphs and checks them; `levels` are the encoder's and the decoder's accuracy_level.

    ModelError when a graph computes something else than torch does.
    """
    model = as_stored(model)
    with tempfile.TemporaryDirectory() as scratch:
        subject.write_graphs(model, Path(scratch))
        for name, half, level in zip(("encoder", "decoder"), subject.halves(model), levels, strict=True):
            raw, exact = Path(scratch, f"{name}.onnx"), Path(scratch, f"{name}-exact.onnx")
            store(raw, exact, 0)
            store(raw, folder / raw.name, level)
            _check(name, half, exact, folder / raw.name, tell)


def _check(name: str, half: nn.Module, exact: Path, path: Path, tell: Callable[[str], None]) -> None:
    graph = Graph(exact)
    feeds = random_feeds(graph)
    with torch.no_grad():
        outputs = half(*(torch.from_numpy(array) for array in feeds.values()))
    wanted = {key: value.numpy() for key, value in zip(graph.output_names, outputs, strict=True)}
    whole = {key: array for key, array in wanted.items() if array.dtype.kind == "f"}
    told(
        (
            same_within(f"{name} in float32 against torch", graph(feeds), whole, _SAME),
            alike(f"{name} as written", Graph(path)(feeds), whole, _ALIKE),
        ),
        tell,
    )


def random_feeds(graph: Graph, lengths: dict[str, int] | None = None, seed: int = 1) -> Arrays:
    """Random inputs of a graph; `lengths` gives its named dimensions."""
    rng, sizes = np.random.default_rng(seed), {**_LENGTHS, **(lengths or {})}
    feeds: Arrays = {}
    for name, shape in graph.input_shapes.items():
        if name == "first":
            feeds[name] = np.array([1], np.int64)
        else:
            whole = [sizes[size] if isinstance(size, str) else size for size in shape]
            feeds[name] = rng.standard_normal(whole).astype(np.float32)
    return feeds
