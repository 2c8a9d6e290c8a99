"""Many rows of int8 activations times int4 weights: what prefill costs."""

from __future__ import annotations

from typing import Any

from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.dots import Dot
from tools.convert.llm.mlc.kernels.rows import HALF, Rows, quantise
from tools.convert.llm.mlc.kernels.tir import (
    GROUP,
    WORD,
    block,
    first,
    function,
    halves,
    keep,
    lanes,
    room,
    shuffle,
    spread,
    store,
)

WIDE = {"avx512vnni": 2, "avxvnni": 1, "avx2": 1, "dotprod": 2, "portable": 1}
ROWS = 128  # of x for which a thread keeps the sums of one vector of outputs


def gemm(outs: int, ins: int, dot: Dot) -> Any:
    """m rows of x: a lane is an output. A group of weights is unpacked into registers and then meets every row."""
    groups = ins // GROUP
    while dot.size > 16 and dot.words > outs:
        dot = Dot(dot.path, dot.size // 2)
    wide = min(WIDE[dot.path], outs // dot.words)
    tile = wide * dot.words

    def body(m: Any, x: Any, weight: Any, scale: Any, y: Any) -> None:
        rows = Rows.of(m, groups, 1, Dot(dot.path, 16))
        with T.parallel(0, m) as row, block("quantise"):
            quantise(x, row, rows, groups)
        with T.parallel(0, -(-outs // tile)) as index, block("gemm"):
            start = first(outs, tile, index)
            near, near_scale = room((tile, ins // WORD), "uint32"), room((tile, groups), "float32")
            with T.serial(0, tile) as out:  # in the order of memory, which the processor then reads ahead
                with T.serial(0, groups) as group:
                    here = lanes(group * HALF, HALF)
                    store(near, [out, here], weight[start + out, here])
                with T.serial(0, groups) as group:
                    store(near_scale, [out, group], scale[start + out, group])
            total = room((ROWS, tile), "float32")
            with T.serial(0, (m + ROWS - 1) // ROWS) as turn:
                count = T.min(m - turn * ROWS, ROWS)
                with T.serial(0, count) as row:
                    store(total, [row, lanes(0, tile)], spread(T.float32(0), tile))
                with T.serial(0, groups) as group:
                    columns = [
                        _column(near, near_scale, column * dot.words, group, dot) for column in range(wide)
                    ]
                    with T.serial(0, count) as row:
                        _row(rows, group, turn * ROWS + row, columns, total, row, dot)
                with T.serial(0, count) as row:
                    store(y, [0, turn * ROWS + row, lanes(start, tile)], total[row, lanes(0, tile)])

    return function(f"gemm_int8_{outs}_{ins}", None, outs, ins, body)


def _column(weight: Any, scale: Any, start: int, group: Any, dot: Dot) -> tuple[list[Any], Any]:
    """One group of `dot.words` outputs: eight vectors of bytes, and the scales."""
    words = turned([weight[start + row, lanes(group * HALF, HALF)] for row in range(dot.words)], dot.words)
    parts = [halves(each, dot.words) for each in words]
    scales = keep(shuffle([scale[start + row, group] for row in range(dot.words)], range(dot.words)))
    return [even for even, _ in parts] + [odd for _, odd in parts], scales


def _row(
    rows: Rows, group: Any, row: Any, columns: list[tuple[list[Any], Any]], total: Any, place: Any, dot: Dot
) -> None:
    """total[place] += one group of row `row` times the weights of `columns`."""
    at = group * rows.count + row
    count = dot.words
    for column, (weights, scales) in enumerate(columns):
        sums = spread(rows.start[at], count)
        for word, weight in enumerate(weights):
            sums = dot.add(sums, weight, _spread(rows, group, row, word, dot))
        value = T.cast(dot.whole(sums), f"float32x{count}")
        every = lanes(column * count, count)
        factor = scales * spread(rows.scale[at], count)
        store(total, [place, every], total[place, every] + value * factor)


def _spread(rows: Rows, group: Any, row: Any, word: int, dot: Dot) -> Any:
    """One word of x in every lane: sdot takes a lane of a register, x86 spreads while it loads."""
    if dot.path == "dotprod":
        return shuffle([rows.words[group, row, lanes(0, 2 * HALF)]], [word] * dot.words)
    return spread(rows.words[group, row, word], dot.words)


def turned(rows: list[Any], count: int) -> list[Any]:
    """`count` vectors of 4 lanes as 4 vectors of `count` lanes, by what a processor does in steps of 128 bits."""
    joined = [keep(_joined(rows[index::HALF])) for index in range(HALF)]
    pairs = [_zipped(joined[a], joined[b], at, 1, count) for a, b in ((0, 1), (2, 3)) for at in (0, 2)]
    return [_zipped(pairs[half], pairs[half + 2], at, 2, count) for half in (0, 1) for at in (0, 2)]


def _joined(vectors: list[Any]) -> Any:
    return vectors[0] if len(vectors) == 1 else shuffle(vectors, range(HALF * len(vectors)))


def _zipped(a: Any, b: Any, at: int, run: int, count: int) -> Any:
    """Of each four lanes from `at` on: `run` lanes of `a`, as many of `b`, and so on until there are four."""
    order = [at + step + part for step in range(0, HALF // 2, run) for part in _runs(run, count)]
    return keep(shuffle([a, b], [index + four for four in range(0, count, HALF) for index in order]))


def _runs(run: int, count: int) -> list[int]:
    return [*range(run), *range(count, count + run)]
