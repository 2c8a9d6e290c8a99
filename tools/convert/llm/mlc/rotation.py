"""Rotary position embedding undone, with the very frequencies that TVM's cache rotates keys with."""

from __future__ import annotations

from typing import Any

from tvm import te, tirx
from tvm.relax.frontend.nn import Tensor, op
from tvm.relax.frontend.nn.llm.position_embedding import switch_rope_freq_func

from tools.convert.llm.architecture import Architecture


def turn_back(keys: Tensor, shape: Architecture) -> Tensor:
    """Keys [layers, n, heads, dim] of the positions 0 … n - 1 as they were before they were rotated."""
    dim = shape.head_dim
    frequencies = switch_rope_freq_func(shape.rope_scaling)

    def unrotated(rotated: Any) -> Any:
        def value(layer: Any, position: Any, head: Any, place: Any) -> Any:
            angle = position.astype("float32")
            cosine, sine, where = frequencies(angle, place, dim, int(shape.rope_theta), "float32")
            half = dim // 2
            other = tirx.if_then_else(
                place < half,
                rotated[layer, position, head, place + half],
                -rotated[layer, position, head, place - half],
            )
            result = rotated[layer, position, head, place] * cosine + other * sine
            for name, meaning in where.items():
                result = tirx.Let(name, meaning, result)
            return result

        return te.compute(rotated.shape, value, name="unrotated")

    return op.tensor_expr_op(unrotated, "turn_back", [keys])
