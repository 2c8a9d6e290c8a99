"""A warm start: the weights of an exported mind, read back from its graph into the network that is trained."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from epsilon.errors import ModelError
from tools.train.mind.graph import Array, dequantise
from tools.train.mind.model import Mind, Shape


def warm_mind(folder: Path) -> Mind:
    """The exported mind in `folder`, as near as its rounded weights allow, for training on.

    Raises ModelError when the graph holds another network than is trained.
    """
    shape = Shape()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    other = [name for name, size in shape.config().items() if config.get(name) != size]
    if other:
        raise ModelError(f"has another {other[0]} than is trained", where=str(folder / "config.json"))
    mind = Mind(shape)
    stored = _stored(folder / "model.onnx", int(config["quantization"]["bits"]))
    mind.load_state_dict({name: torch.from_numpy(value) for name, value in _apart(stored, shape).items()})
    return mind


def _stored(path: Path, bits: int) -> dict[str, Array]:
    """Floats by the names of the graph; projections that were stacked go by the first one's name."""
    held = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    floats = {name: np.array(value, np.float32) for name, value in held.items() if name.endswith(".weight")}
    for name, codes in held.items():
        prefix, _, kind = name.rpartition(".")
        if kind == "codes":
            floats[f"{prefix}.weight"] = dequantise(codes, held[f"{prefix}.scales"], bits)
    return floats


def _apart(stored: dict[str, Array], shape: Shape) -> dict[str, Array]:
    """The same by the names of the network: what was stacked for one product taken apart again."""
    found = dict(stored)
    kv_width = shape.num_key_value_heads * shape.head_dim
    for layer in range(shape.num_hidden_layers):
        attention, mlp = f"layers.{layer}.self_attn", f"layers.{layer}.mlp"
        joined = found[f"{attention}.q_proj.weight"]
        parts = np.split(joined, [shape.hidden_size, shape.hidden_size + kv_width])
        found |= {f"{attention}.{name}_proj.weight": part for name, part in zip("qkv", parts, strict=True)}
        gate, up = np.split(found[f"{mlp}.gate_proj.weight"], 2)
        found |= {f"{mlp}.gate_proj.weight": gate, f"{mlp}.up_proj.weight": up}
    return found
