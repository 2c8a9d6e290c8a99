"""Rotary positions on a CPU, in place of TVM's function that takes a power, a sine and a cosine for every number."""

from __future__ import annotations

from typing import Any

import numpy as np
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.tir import Heads, block, each_row, keep, lanes, room, store

WIDE = 8  # floats of a vector


def rotate(heads: Heads, theta: float) -> Any:
    """qkv [m, all heads, size] parted into q, k and v; q and k rotated by the positions in position_map."""
    half = heads.size // 2
    with IRBuilder() as builder:
        with T.prim_func(s_tir=True):
            T.func_name("fused_rope")
            T.func_attr({"global_symbol": "fused_rope", "tirx.noalias": True, "tirx.is_scheduled": True})
            at = {name: T.arg(name, T.handle()) for name in ("qkv", "position_map", "q", "k", "v")}
            wanted = T.arg("apply_rope", T.int64())
            m = T.int32()
            qkv = T.match_buffer(at["qkv"], (m, heads.queries + 2 * heads.keys, heads.size), "float32")
            positions = T.match_buffer(at["position_map"], (m,), "int32", elem_offset=T.int32())
            q = T.match_buffer(at["q"], (m, heads.queries, heads.size), "float32")
            k = T.match_buffer(at["k"], (m, heads.keys, heads.size), "float32")
            v = T.match_buffer(at["v"], (m, heads.keys, heads.size), "float32")

            def body(row: Any) -> None:
                with block("rotate"):
                    cosines, sines = room((half,), "float32"), room((half,), "float32")
                    position = T.cast(T.if_then_else(wanted > 0, positions[row], 0), "float32")
                    for index, slowness in enumerate(
                        np.float32(theta) ** (np.arange(half, dtype=np.float32) / half)
                    ):
                        angle = keep(position / T.float32(float(slowness)))
                        store(cosines, [index], T.cos(angle))
                        store(sines, [index], T.sin(angle))
                    with T.serial(0, heads.queries) as head:
                        _turn(qkv, (row, head), q, (row, head), cosines, sines, half)
                    with T.serial(0, heads.keys) as head:
                        _turn(qkv, (row, heads.queries + head), k, (row, head), cosines, sines, half)
                        every = lanes(0, heads.size)
                        store(v, [row, head, every], qkv[row, heads.queries + heads.keys + head, every])

            each_row(m, body)
        return builder.get()


def _turn(
    x: Any, place: tuple[Any, ...], y: Any, there: tuple[Any, ...], cosines: Any, sines: Any, half: int
) -> None:
    for at in range(0, half, WIDE):
        low, high = keep(x[(*place, lanes(at, WIDE))]), keep(x[(*place, lanes(half + at, WIDE))])
        cosine, sine = cosines[lanes(at, WIDE)], sines[lanes(at, WIDE)]
        store(y, [*there, lanes(at, WIDE)], low * cosine - high * sine)
        store(y, [*there, lanes(half + at, WIDE)], high * cosine + low * sine)
