"""One row of int8 activations times int4 weights: what a decoded token costs."""

from __future__ import annotations

from typing import Any

from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.dots import Dot
from tools.convert.llm.mlc.kernels.rows import HALF, Rows, quantise
from tools.convert.llm.mlc.kernels.tir import (
    GROUP,
    block,
    function,
    halves,
    keep,
    lanes,
    reduced,
    room,
    shuffle,
    spread,
    store,
)

FOLD = 4  # vectors of weights whose sums are folded into one


def gemv(outs: int, ins: int, dot: Dot) -> Any:
    """One row of x: four vectors of weights are multiplied, folded into a sum for each group, and then scaled.

    One output after the other: weights are read from memory in their order, which is what limits this.
    """
    groups = ins // GROUP
    while groups % dot.groups:
        dot = Dot(dot.path, dot.size // 2)
    turns, rest = divmod(groups // dot.groups, FOLD)

    def body(m: Any, x: Any, weight: Any, scale: Any, y: Any) -> None:
        rows = Rows.of(1, groups, HALF, dot)
        quantise(x, 0, rows, groups)
        with T.parallel(0, outs) as out, block("gemv"):
            total = room((dot.words,), "float32")
            every = lanes(0, dot.words)
            store(total, [every], spread(T.float32(0), dot.words))
            with T.serial(0, turns) as turn:
                part = _scaled(rows, weight, scale, out, turn * FOLD, FOLD)
                store(total, [every], total[every] + part)
            if rest:
                part = _scaled(rows, weight, scale, out, turns * FOLD, rest)
                store(total, [every], total[every] + part)
            store(y, [0, 0, out], reduced(lambda a, b: a + b, total[every], dot.words))

    return function(f"gemv_int8_{outs}_{ins}", 1, outs, ins, body)


def _scaled(rows: Rows, weight: Any, scale: Any, out: Any, vector: Any, count: int) -> Any:
    """The products of up to four vectors of weights as floats."""
    group = vector * rows.dot.groups
    return _sums(rows, weight, out, vector, count) * _scales(rows, scale, out, group, count)


def _sums(rows: Rows, weight: Any, out: Any, vector: Any, count: int) -> Any:
    """The products of `count` vectors of weights, a sum for each group: lane 4 i + j is group i of vector j."""
    dot = rows.dot
    totals = [spread(T.int32(0), dot.words)] * FOLD
    for index in range(count):
        here = vector + index
        low, high = halves(weight[out, lanes(here * dot.words, dot.words)], dot.words)
        even = rows.words[here, 0, lanes(0, dot.words)]
        odd = rows.words[here, 0, lanes(dot.words, dot.words)]
        begin = rows.start[lanes(here * dot.words, dot.words)]
        totals[index] = keep(dot.add(dot.add(begin, low, even), high, odd))
    return T.cast(dot.whole(keep(dot.fold(totals))), f"float32x{dot.words}")


def _scales(rows: Rows, scale: Any, out: Any, group: Any, count: int) -> Any:
    """Weights' scale times activations', in the order of `_sums`; where there is no vector any scale will do."""
    groups = rows.dot.groups
    if count * groups == 1:
        return spread(rows.scale[group] * scale[out, group], HALF)
    here = lanes(group, count * groups)
    both = keep(rows.scale[here] * scale[out, here])
    vectors = [min(vector, count - 1) for vector in range(FOLD)]
    return shuffle([both], [vector * groups + group for group in range(groups) for vector in vectors])
