"""Matrix products of the MLC path on a CPU: rows of float32 with int4 weights (q4f32_1), as TIR functions.

`gemv` and `gemm` return a PrimFunc that `op.tensor_ir_op` takes: (x [1,m,K] float32, q_weight [N,K/8] uint32,
q_scale [N,K/32] float32) -> y [1,m,N] float32; m is 1 for `gemv` and any for `gemm`. K must be a multiple of 32.
"""

from __future__ import annotations

from typing import Any, Literal

from tvm.target import Target

from tools.convert.llm.mlc.kernels import floats

Activations = Literal["fp32", "int8"]


def gemv(out_features: int, in_features: int, target: Target, activations: Activations = "int8") -> Any:
    """The product for one row: a decoded token."""
    return floats.gemv(out_features, in_features)


def gemm(out_features: int, in_features: int, target: Target, activations: Activations = "int8") -> Any:
    """The product for m rows: prefill."""
    return floats.gemm(out_features, in_features)
