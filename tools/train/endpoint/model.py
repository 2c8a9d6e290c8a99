"""The network: two causal recurrent layers over the rows; one step is one window of 32 ms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from epsilon.engines.endpoint.features import SIZE

# What is asked of every window: is it silence for good, and is the speech over within so many s of now?
SOON_S = (0.3, 1.0)
ANSWERS = 1 + len(SOON_S)


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    inner: int = 96
    width: int = 128
    layers: int = 2


class Endpoint(nn.Module):
    """rows [B, n, SIZE] → answers [B, n, ANSWERS] as logits; the first is the one that the toy uses."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(SIZE))
        self.register_buffer("scale", torch.ones(SIZE))
        self.read = nn.Linear(SIZE, shape.inner)
        self.layers = nn.GRU(shape.inner, shape.width, shape.layers, batch_first=True, dropout=0.2)
        self.answer = nn.Linear(shape.width + shape.inner, ANSWERS)
        self.drop = nn.Dropout(0.2)

    def forward(self, rows: Tensor) -> Tensor:
        """See the class."""
        read = torch.relu(self.read((rows - self.mean) * self.scale))
        remembered, _ = self.layers(self.drop(read))
        return self.answer(torch.cat([self.drop(remembered), read], -1))


def from_graph(path: Path) -> Endpoint:
    """The network in an exported graph, to be trained further."""
    arrays = {array.name: numpy_helper.to_array(array) for array in onnx.load(path).graph.initializer}
    products = sorted((name for name in arrays if name.startswith("onnx::MatMul")), key=_number)
    inner, width = arrays["endpoint.read.weight"].shape[0], len(arrays[products[1]])
    model = Endpoint(Shape(inner, width, len(products) // 2))
    state = {name.removeprefix("endpoint."): array for name, array in arrays.items() if name not in products}
    for place, name in enumerate(products):
        state[f"layers.weight_{('ih', 'hh')[place % 2]}_l{place // 2}"] = arrays[name].T
    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in state.items()})
    return model


def _number(name: str) -> int:
    return int(name.rsplit("_", 1)[1])


class Step(nn.Module):
    """One window: row [1, SIZE], state [layers, width] → logit [1, 1], the new state. Only products and gates."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self.endpoint = endpoint

    def forward(self, row: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        net, states = self.endpoint, []
        read = torch.relu(net.read((row - net.mean) * net.scale))
        x = read
        for layer in range(net.shape.layers):
            own = [
                getattr(net.layers, f"{name}_l{layer}")
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            x = _gru(x, state[layer : layer + 1], *own)
            states.append(x)
        answers = net.answer(torch.cat([x, read], -1))
        return answers[:, :1], torch.cat(states, 0)


def _gru(x: Tensor, h: Tensor, of_x: Tensor, of_h: Tensor, x_bias: Tensor, h_bias: Tensor) -> Tensor:
    """A step of torch's GRU, written out so that any runtime can run it."""
    reset_x, update_x, new_x = (x @ of_x.T + x_bias).chunk(3, -1)
    reset_h, update_h, new_h = (h @ of_h.T + h_bias).chunk(3, -1)
    reset, update = torch.sigmoid(reset_x + reset_h), torch.sigmoid(update_x + update_h)
    new = torch.tanh(new_x + reset * new_h)
    return (1 - update) * new + update * h
