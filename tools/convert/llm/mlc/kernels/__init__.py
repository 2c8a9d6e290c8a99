"""Matrix products of the MLC path on a CPU: rows of float32 with int4 weights (q4f32_1), as TIR functions.

`gemv` and `gemm` return a PrimFunc that `op.tensor_ir_op` takes: (x [1,m,K] float32, q_weight [N,K/8] uint32,
q_scale [N,K/32] float32) -> y [1,m,N] float32; m is 1 for `gemv` and any for `gemm`.

With activations int8 each row of x is rounded to 8 bits, 32 values to a scale, and multiplied by the best integer
dot product that the target has (dots.py); the result errs by up to half a step of each x. fp32 is exact.
"""

from __future__ import annotations

from typing import Any, Literal

from tvm.target import Target

from tools.convert.llm.mlc.kernels import floats, integer_gemm, integer_gemv
from tools.convert.llm.mlc.kernels.dots import Dot
from tools.convert.llm.mlc.kernels.tir import GROUP

Activations = Literal["fp32", "int8"]

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


def _check(outs: int, ins: int) -> None:
    if outs < LEAST_OUTS or ins < GROUP or ins % GROUP:
        raise ValueError(
            f"{outs} outputs of {ins} inputs: a kernel has at least {LEAST_OUTS} outputs "
            f"and a multiple of {GROUP} inputs"
        )
