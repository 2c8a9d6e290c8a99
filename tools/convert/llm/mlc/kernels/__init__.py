"""Matrix products of the MLC path on a CPU: rows of float32 with int4 weights (q4f32_1), as TIR functions.

`gemv` and `gemm` return a PrimFunc that `op.tensor_ir_op` takes: (x [1,m,K] float32, q_weight [N,K/8] uint32,
q_scale [N,K/32] float32) -> y [1,m,N] float32; m is 1 for `gemv` and any for `gemm`.

With activations int8 each row of x is rounded to 8 bits, 32 values to a scale, and multiplied by the best integer
dot product that the target has (dots.py); the result errs by up to half a step of each x. fp32 is exact.
"""

from __future__ import annotations

from typing import Any, Literal

from tvm.target import Target

from tools.convert.llm.mlc.kernels import attention, elementwise, floats, integer_gemm, integer_gemv, rotation
from tools.convert.llm.mlc.kernels.dots import Dot
from tools.convert.llm.mlc.kernels.tir import GROUP, Heads

Activations = Literal["fp32", "int8"]

VECTOR = 8  # floats: widths of heads are multiples of it
LEAST_OUTS = 4  # lanes of the smallest vector


def gemv(out_features: int, in_features: int, target: Target, activations: Activations = "int8") -> Any:
    """The product for one row: a decoded token."""
    _check(out_features, in_features)
    if activations == "fp32":
        return floats.gemv(out_features, in_features)
    return integer_gemv.gemv(out_features, in_features, Dot.best(target))


def gemm(out_features: int, in_features: int, target: Target, activations: Activations = "int8") -> Any:
    """The product for m rows: prefill."""
    _check(out_features, in_features)
    if activations == "fp32":
        return floats.gemm(out_features, in_features)
    return integer_gemm.gemm(out_features, in_features, Dot.best(target))


def replace_attention(module: Any, heads: Heads, theta: float, scaled: bool) -> None:
    """Puts the functions here in the place of those that TIRPagedKVCache put into `module` for a CPU.

    `theta` is the base of the rotation; where positions are `scaled` TVM's own rotation stays.
    """
    own = (
        []
        if heads.size % VECTOR
        else [attention.ragged(heads), attention.paged(heads), attention.decode(heads)]
    )
    if not scaled and heads.size % (2 * VECTOR) == 0:
        own.append(rotation.rotate(heads, theta))
    for function in own:
        module[module.get_global_var(function.attrs["global_symbol"])] = function


def gate(size: int) -> Any:
    """x [1,m,2*size] -> y [1,m,size]: silu of the first half times the second. `size` is a multiple of 8."""
    return elementwise.gate(size)


def norm(size: int, epsilon: float) -> Any:
    """x [1,m,size], weight [size] -> y [1,m,size]: RMS norm. `size` is a multiple of 8."""
    return elementwise.norm(size, epsilon)


def _check(outs: int, ins: int) -> None:
    if outs < LEAST_OUTS or ins < GROUP or ins % GROUP:
        raise ValueError(
            f"{outs} outputs of {ins} inputs: a kernel has at least {LEAST_OUTS} outputs "
            f"and a multiple of {GROUP} inputs"
        )
