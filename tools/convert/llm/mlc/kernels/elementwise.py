"""What a decoder does between its matrix products: the gate of the feed-forward network, norms; and 2 to the power."""

from __future__ import annotations

import math
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.tir import block, each_row, keep, lanes, reduced, room, spread, store

WIDE = 8  # floats of a vector
TERMS = 7  # of the series of 2^x for |x| <= 1/2: the rest is below 2e-7


def exp2(x: Any, count: int) -> Any:
    """2^x of each of `count` floats: LLVM would call the C library for each."""
    x = keep(T.min(T.max(x, spread(T.float32(-126), count)), spread(T.float32(126), count)))
    whole = keep(T.nearbyint(x))
    rest = keep(x - whole)
    value = spread(T.float32(0), count)
    for power in reversed(range(TERMS)):
        value = value * rest + spread(T.float32(math.log(2) ** power / math.factorial(power)), count)
    bits = (T.cast(whole, f"int32x{count}") + spread(T.int32(127), count)) << spread(T.int32(23), count)
    return value * T.reinterpret(f"float32x{count}", bits)


def gate(size: int) -> Any:
    """x [1,m,2*size] -> y [1,m,size]: silu of the first half times the second."""
    with IRBuilder() as builder:
        with T.prim_func(private=True, s_tir=True):
            x, y, m = _rows(f"gate_{size}", 2 * size, size)

            def body(row: Any) -> None:
                with block("gate"), T.serial(0, size // WIDE) as at:
                    a = keep(x[0, row, lanes(at * WIDE, WIDE)])
                    power = exp2(a * spread(T.float32(-math.log2(math.e)), WIDE), WIDE)
                    value = (
                        a / (spread(T.float32(1), WIDE) + power) * x[0, row, lanes(size + at * WIDE, WIDE)]
                    )
                    store(y, [0, row, lanes(at * WIDE, WIDE)], value)

            each_row(m, body)
        return builder.get()


def norm(size: int, epsilon: float) -> Any:
    """x [1,m,size], weight [size] -> y [1,m,size]: divided by the root of its mean square, times the weight."""
    with IRBuilder() as builder:
        with T.prim_func(private=True, s_tir=True):
            x, weight, y, m = _weighted_rows(f"norm_{size}", size)
            each_row(m, lambda row: _norm(x, weight, y, row, size, epsilon))
        return builder.get()


def _norm(x: Any, weight: Any, y: Any, row: Any, size: int, epsilon: float) -> None:
    every = lanes(0, WIDE)
    with block("norm"):
        total = room((WIDE,), "float32")
        store(total, [every], spread(T.float32(0), WIDE))
        with T.serial(0, size // WIDE) as at:
            part = keep(x[0, row, lanes(at * WIDE, WIDE)])
            store(total, [every], total[every] + part * part)
        mean = reduced(lambda a, b: a + b, total[every], WIDE) * T.float32(1 / size)
        factor = keep(T.float32(1) / T.sqrt(mean + T.float32(epsilon)))
        with T.serial(0, size // WIDE) as at:
            here = lanes(at * WIDE, WIDE)
            store(y, [0, row, here], x[0, row, here] * spread(factor, WIDE) * weight[here])


def _rows(name: str, ins: int, outs: int) -> tuple[Any, Any, Any]:
    T.func_name(name)
    T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
    x_at, y_at, m = T.arg("x", T.handle()), T.arg("y", T.handle()), T.int64()
    x = T.match_buffer(x_at, (T.int64(1), m, ins), "float32")
    return x, T.match_buffer(y_at, (T.int64(1), m, outs), "float32"), m


def _weighted_rows(name: str, size: int) -> tuple[Any, Any, Any, Any]:
    T.func_name(name)
    T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
    x_at, weight_at, y_at = T.arg("x", T.handle()), T.arg("weight", T.handle()), T.arg("y", T.handle())
    m = T.int64()
    x = T.match_buffer(x_at, (T.int64(1), m, size), "float32")
    weight = T.match_buffer(weight_at, (size,), "float32")
    return x, weight, T.match_buffer(y_at, (T.int64(1), m, size), "float32"), m
