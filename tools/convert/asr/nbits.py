"""Products with weights in few bits as onnxruntime computes them: its operator MatMulNBits.

onnxruntime 1.28 takes 2, 4 and 8 bits on CPUs, not 3: codes of 3 bits are stored in 4. `accuracy_level` 0
computes in float32. 4 rounds the input to int8, every group of every row by itself, so a row's result does not
depend on the other rows and checking a draft in one pass gives what decoding token by token gives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from tools.convert.asr.groups import Grouped

OPERATOR, DOMAIN = "MatMulNBits", "com.microsoft"
STORED_BITS = {2: 2, 3: 4, 4: 4}
_SMALLEST_HALVED = 1024  # elements; biases and norms are smaller in all but wide networks


def packed(grouped: Grouped) -> tuple[Tensor, Tensor, Tensor]:
    """Codes, scales and zero points as the operator wants them."""
    bits = STORED_BITS[grouped.bits]
    codes = _packed(grouped.codes.unflatten(1, (-1, grouped.group)).numpy(), bits)
    return torch.from_numpy(codes), grouped.scales, torch.from_numpy(_packed(grouped.zeros.numpy(), bits))


def product(x: Tensor, codes: Tensor, scales: Tensor, zeros: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """x [..., K] times the transposed weights; only for a graph being exported.

    `sizes` are N, K, the bits of a code and the columns of a group.
    """
    return _Product.apply(x, codes, scales, zeros, (sizes[0], sizes[1], STORED_BITS[sizes[2]], sizes[3]))


class _Product(torch.autograd.Function):
    """Becomes one MatMulNBits node; the shape alone matters while tracing."""

    @staticmethod
    def forward(
        context: Any, x: Tensor, codes: Tensor, scales: Tensor, zeros: Tensor, sizes: tuple[int, ...]
    ) -> Tensor:
        """Zeros of the right shape."""
        return x.new_zeros(*x.shape[:-1], sizes[0])

    @staticmethod
    def symbolic(graph: Any, x: Any, codes: Any, scales: Any, zeros: Any, sizes: tuple[int, ...]) -> Any:
        """The node."""
        rows, columns, bits, group = sizes
        y = graph.op(
            f"{DOMAIN}::{OPERATOR}", x, codes, scales, zeros,
            K_i=columns, N_i=rows, bits_i=bits, block_size_i=group, accuracy_level_i=0,
        )  # fmt: skip
        free = [None] * (x.type().dim() - 1)  # the traced lengths are examples
        return y.setType(x.type().with_sizes([*free, rows]))


def _packed(codes: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """[..., n] → [..., ⌈n · bits / 8⌉], the first code in the lowest bits."""
    places = (codes[..., None] >> np.arange(bits, dtype=np.uint8)) & 1
    flat = places.reshape(*codes.shape[:-1], -1)
    return np.packbits(flat, axis=-1, bitorder="little")


def store(source: Path, target: Path, level: int) -> None:
    """Write the graph with `accuracy_level` on every product in few bits and other large tensors as float16."""
    model = onnx.load(source)
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == OPERATOR and attribute.name == "accuracy_level":
                attribute.i = level
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= _SMALLEST_HALVED:
            array, name = numpy_helper.to_array(tensor), tensor.name
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.save(model, target)
