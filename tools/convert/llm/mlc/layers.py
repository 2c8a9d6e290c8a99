"""Layers of the decoder in TVM's relax.frontend.nn, their weights in int4; parameters are named as MLC names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import te, tirx
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import Tensor, op
from tvm.target import Target

from tools.convert.llm.architecture import GROUP, Architecture
from tools.convert.llm.mlc import kernels
from tools.convert.llm.mlc.kernels import Activations
from tools.convert.llm.mlc.quantise import CODES_PER_WORD, ZERO


class Linear(nn.Module):
    """x [b, n, ins] -> [b, n, outs]: one kernel for a single token, another for several."""

    def __init__(self, ins: int, outs: int, target: Target, activations: Activations) -> None:
        super().__init__()
        self.ins, self.outs = ins, outs
        self.target, self.activations = target, activations
        self.q_weight = nn.Parameter((outs, ins // CODES_PER_WORD), "uint32")
        self.q_scale = nn.Parameter((outs, ins // GROUP), "float32")

    def forward(self, x: Tensor) -> Tensor:
        return product(x, self.q_weight, self.q_scale, self.target, self.activations)


class Embedding(nn.Module):
    """ids [n] -> rows [n, width]; tied to the head where the checkpoint ties them."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.width = shape.hidden_size
        self.q_weight = nn.Parameter((shape.vocab_size, self.width // CODES_PER_WORD), "uint32")
        self.q_scale = nn.Parameter((shape.vocab_size, self.width // GROUP), "float32")

    def forward(self, ids: Tensor) -> Tensor:
        def rows(words: Any, scales: Any, wanted: Any) -> Any:
            value = weight_at(words, scales)
            return te.compute((wanted.shape[0], self.width), lambda n, k: value(wanted[n], k), name="rows")

        return op.tensor_expr_op(rows, "embed_rows", [self.q_weight, self.q_scale, ids])


def product(x: Tensor, words: Any, scales: Any, target: Target, activations: Activations) -> Tensor:
    """x [b, n, ins] times the transposed int4 weights [outs, ins]."""
    batch, count, ins = x.shape
    outs = int(words.shape[0])
    single = _is_one(batch) and _is_one(count)
    if target.kind.name != "llvm":
        return op.tensor_expr_op(_for_gpu(outs, int(ins)), f"product_{outs}_{ins}", [x, words, scales])
    if not _is_one(batch):  # the kernels take the rows of one sequence: several sequences are stacked
        flat = op.reshape(x, (1, batch * count, ins))
        return op.reshape(product(flat, words, scales, target, activations), (batch, count, outs))
    build = kernels.gemv if single else kernels.gemm
    name = f"{'gemv' if single else 'gemm'}_{outs}_{ins}"
    result = Tensor.placeholder([1, count, outs], "float32")
    return op.tensor_ir_op(build(outs, int(ins), target, activations), name, [x, words, scales], result)


def _for_gpu(outs: int, ins: int) -> Callable[..., Any]:
    """Unpacking and product in one function, so that the GPU schedules move the unpacking inside."""

    def matmul(x: Any, words: Any, scales: Any) -> Any:
        value = weight_at(words, scales)
        weight = te.compute((outs, ins), value, name="dequantised")
        k = te.reduce_axis((0, ins), name="k")
        return te.compute(
            (x.shape[0], x.shape[1], outs),
            lambda b, m, n: te.sum(x[b, m, k] * weight[n, k], axis=k),
            name="NT_matmul",
        )

    return matmul


def weight_at(words: Any, scales: Any) -> Callable[[Any, Any], Any]:
    """The weight of a row and column as an expression."""

    def value(row: Any, column: Any) -> Any:
        shift = ((column % CODES_PER_WORD) * 4).astype("uint32")
        code = (words[row, column // CODES_PER_WORD] >> shift) & tirx.const(15, "uint32")
        return (code.astype("float32") - tirx.const(float(ZERO), "float32")) * scales[row, column // GROUP]

    return value


class Norm(nn.RMSNorm):
    """RMS norm of the last axis: x divided by the root of its mean square, times the weight."""

    def __init__(self, shape: Architecture, target: Target) -> None:
        super().__init__(shape.hidden_size, -1, shape.rms_norm_eps, bias=False)
        self.size, self.target = shape.hidden_size, target

    def forward(self, x: Tensor) -> Tensor:
        if self.target.kind.name != "llvm" or not _is_one(x.shape[0]):
            return super().forward(x)
        kernel = kernels.norm(self.size, self.epsilon)
        result = Tensor.placeholder(list(x.shape), "float32")
        return op.tensor_ir_op(kernel, f"norm_{self.size}", [x, self.weight], result)


def gated(x: Tensor, target: Target) -> Tensor:
    """[b, n, 2 * width] -> [b, n, width]: silu of the first half times the second."""
    batch, count, both = x.shape
    width = int(both) // 2
    if target.kind.name != "llvm" or not _is_one(batch):
        gate, up = op.split(x, 2, axis=-1)
        return op.silu(gate) * up
    result = Tensor.placeholder([1, count, width], "float32")
    return op.tensor_ir_op(kernels.gate(width), f"gate_{width}", [x], result)


def last_row(hidden: Tensor) -> Tensor:
    """[1, n, width] -> its last token's [1, 1, width]."""
    width = hidden.shape[2]

    def last(rows: Any) -> Any:
        return te.compute((1, 1, width), lambda b, _, k: rows[b, rows.shape[1] - 1, k], name="last")

    return op.tensor_expr_op(last, "last_row", [hidden])


def chosen_rows(hidden: Tensor, positions: Tensor) -> Tensor:
    """[1, n, width] -> the rows [1, b, width] at the positions."""
    width = hidden.shape[2]

    def chosen(rows: Any, wanted: Any) -> Any:
        return te.compute((1, wanted.shape[0], width), lambda b, n, k: rows[b, wanted[n], k], name="chosen")

    return op.tensor_expr_op(chosen, "chosen_rows", [hidden, positions])


def _is_one(size: Any) -> bool:
    """Whether a size is known to be 1; sizes that are only known at run time are not."""
    return isinstance(size, int | tirx.IntImm) and int(size) == 1
