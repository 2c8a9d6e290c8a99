"""A warm start: the weights of an exported mind, read back from its graph into the network that is trained.

They are trained as they will be used, rounded: small steps away from rounded weights would be lost at the next
rounding. The network computes with the rounded ones and gradients go to those behind them (the straight-through
estimator of Bengio, Léonard and Courville 2013); each block keeps its scale. A long training turns the rounding off
first and takes new scales when it turns it on again (`training.Plan.rounded_share`).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor, nn

from epsilon.errors import ModelError
from tools.train.mind.graph import BLOCK, Array, dequantise, quantise
from tools.train.mind.model import Mind, Shape

# Which projections the graph computes at once, by the name of the first.
STACKED = (
    ("self_attn", ("q_proj", "k_proj", "v_proj")),
    ("self_attn", ("o_proj",)),
    ("mlp", ("gate_proj", "up_proj")),
    ("mlp", ("down_proj",)),
)


class Rounded(nn.Linear):
    """A product with weights [out, in] in blocks of 32 along `in`, each on the grid of its scale [out, in / 32]."""

    scales: Tensor

    def __init__(self, weight: Array, scales: Array, bits: int) -> None:
        super().__init__(weight.shape[1], weight.shape[0], bias=False)
        self.weight.data = torch.from_numpy(weight)
        self.register_buffer("scales", torch.from_numpy(scales), persistent=False)
        self.bits, self.half, self.on = bits, 2 ** (bits - 1), True

    def forward(self, x: Tensor) -> Tensor:
        if not self.on:
            return F.linear(x, self.weight)
        return F.linear(x, self.weight + (self.rounded() - self.weight).detach())

    def rescale(self) -> None:
        """Round again, with the scales that fit the present weights best."""
        _, scales = quantise(self.weight.detach().numpy(), self.bits)
        self.scales, self.on = torch.from_numpy(scales).view_as(self.scales), True

    def rounded(self) -> Tensor:
        """The weights as they will be exported."""
        blocks = self.weight.detach().view(*self.scales.shape, BLOCK) / self.scales[..., None]
        codes = blocks.round().clamp(-self.half, self.half - 1)
        return (codes * self.scales[..., None]).view_as(self.weight)


def warm_mind(folder: Path) -> Mind:
    """The exported mind in `folder`, exactly, for training on; its products are Rounded.

    Raises ModelError when the graph holds another network than is trained.
    """
    shape = Shape()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    other = [name for name, size in shape.config().items() if config.get(name) != size]
    if other:
        raise ModelError(f"has another {other[0]} than is trained", where=str(folder / "config.json"))
    mind = Mind(shape)
    held = {t.name: numpy_helper.to_array(t) for t in onnx.load(folder / "model.onnx").graph.initializer}
    for name, parameter in mind.named_parameters():
        if name in held:
            parameter.data = torch.from_numpy(np.array(held[name], np.float32))
    bits = int(config["quantization"]["bits"])
    for layer, block in enumerate(mind.layers):
        for part, names in STACKED:
            where = getattr(block, part)
            weight, scales = _stacked(held, f"layers.{layer}.{part}.{names[0]}", bits)
            ends = np.cumsum([getattr(where, name).out_features for name in names])[:-1]
            apart = zip(names, np.split(weight, ends), np.split(scales, ends), strict=True)
            for name, rows, of_rows in apart:
                setattr(where, name, Rounded(rows, of_rows, bits))
    return mind


def settle(mind: Mind) -> None:
    """Put the rounded weights in the place of those behind them: what is exported now is what was trained."""
    for part in rounded_products(mind):
        part.weight.data = part.rounded()


def rounded_products(mind: nn.Module) -> Iterator[Rounded]:
    """Those of its products that are trained rounded."""
    return (part for part in mind.modules() if isinstance(part, Rounded))


def _stacked(held: Mapping[str, Array], name: str, bits: int) -> tuple[Array, Array]:
    """The weights [out, in] and scales [out, in / 32] of one product of the graph."""
    codes, scales = held[f"{name}.codes"], held[f"{name}.scales"]
    return dequantise(codes, scales, bits), np.array(scales).reshape(codes.shape[:2])
