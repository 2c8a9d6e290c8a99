"""A warm start: the weights of an exported voice, read back from its graphs into the network that is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
import yaml
from onnx import numpy_helper
from torch import Tensor

from epsilon.engines.tts.symbols import TOKENS
from epsilon.errors import ModelError, nearest
from tools.train.voice.model import Sizes, Voice

_HALF = "_half"  # what tools.train.weights calls a matrix stored as fp16
_LSTM = "text.both_ways."
_GATES = (0, 2, 3, 1)  # ONNX has them as input, output, forget, cell; torch as input, forget, cell, output


def warm_voice(folder: Path, names: Sequence[str]) -> Voice:
    """The exported voice in `folder`, for training on; `names` are the teachers to train, in their order.

    Raises ModelError when the graphs hold another network, or the model has other symbols or no such teacher.
    """
    page = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    if tuple(page["symbols"]) != TOKENS:
        raise ModelError("has other symbols than the text side", where=str(folder / "model.yaml"))
    voice = Voice(Sizes(len(TOKENS)), len(names))
    found: dict[str, Tensor] = {}
    for name in ("style", "text", "decoder"):
        found |= _stored(folder / f"{name}.onnx")
    found["styles.weight"] = _styles(folder, page["teachers"], names)
    for name, parameter in voice.named_parameters():
        if name not in found or found[name].shape != parameter.shape:
            raise ModelError(
                f"has no {name} of shape {list(parameter.shape)}: another network than is trained",
                where=str(folder),
            )
        parameter.data.copy_(found[name])
    return voice


def _stored(path: Path) -> dict[str, Tensor]:
    """The weights in a graph, by the network's names for them."""
    graph = onnx.load(str(path)).graph
    held = {t.name.removesuffix(_HALF): numpy_helper.to_array(t, str(path.parent)) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "LSTM":
            inputs, recurrent, biases = (held[name] for name in node.input[1:4])
            held |= _lstm(inputs, recurrent, biases)
    return {
        name.removeprefix("voice."): torch.from_numpy(np.array(value, dtype=np.float32))
        for name, value in held.items()
        if value.dtype.kind == "f"
    }


def _lstm(inputs: np.ndarray, recurrent: np.ndarray, biases: np.ndarray) -> dict[str, np.ndarray]:
    """Weights as torch has them, from ONNX's [directions, 4 * width, …] and [directions, 8 * width]."""
    named: dict[str, np.ndarray] = {}
    for direction, end in enumerate(("_l0", "_l0_reverse")):
        both = biases[direction].reshape(2, -1)
        rows = {"weight_ih": inputs[direction], "weight_hh": recurrent[direction]}
        rows |= {"bias_ih": both[0], "bias_hh": both[1]}
        for name, value in rows.items():
            named[_LSTM + name + end] = np.concatenate([np.split(value, 4)[gate] for gate in _GATES])
    return named


def _styles(folder: Path, teachers: dict[str, str], names: Sequence[str]) -> Tensor:
    """One row for each of `names`: the first style that was taught by it."""
    with np.load(folder / "voices.npz") as table:
        known = {teacher: table[style] for style, teacher in reversed(teachers.items())}
    for name in names:
        if name not in known:
            raise ModelError(f"no style was taught by '{name}'{nearest(name, known)}", where=str(folder))
    return torch.stack([torch.from_numpy(known[name]) for name in names])
