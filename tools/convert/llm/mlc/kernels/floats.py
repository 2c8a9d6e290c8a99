"""Matrix kernels that turn the int4 weights into floats and multiply those: exact but for rounding."""

from __future__ import annotations

from typing import Any

from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.tir import (
    GROUP,
    WORD,
    block,
    first,
    function,
    lanes,
    last,
    nibble,
    room,
    spread,
    store,
    width,
)

ROWS = 4  # of x in one tile of gemm: 4 x 16 sums fill half of AVX2's registers


def gemv(outs: int, ins: int) -> Any:
    """One row: a word of eight nibbles is spread over eight lanes, and each lane shifts its own down."""
    height = width(outs, 4)

    def body(m: Any, x: Any, weight: Any, scale: Any, y: Any) -> None:
        with T.parallel(0, -(-outs // height)) as tall, block("gemv"):
            start = first(outs, height, tall)
            total = room((height, WORD), "float32")
            part = room((height, WORD), "float32")
            for row in range(height):
                store(total, [row, lanes(0, WORD)], spread(T.float32(0), WORD))
            with T.serial(0, ins // GROUP) as group:
                for row in range(height):
                    _group(x, weight, part, row, start + row, group)
                    scaled = part[row, lanes(0, WORD)] * spread(scale[start + row, group], WORD)
                    store(total, [row, lanes(0, WORD)], total[row, lanes(0, WORD)] + scaled)
            for row in range(height):
                value = total[row, 0]
                for lane in range(1, WORD):
                    value = value + total[row, lane]
                store(y, [0, 0, start + row], value)

    return function(f"gemv_fp32_{outs}_{ins}", 1, outs, ins, body)


def _group(x: Any, weight: Any, part: Any, row: int, out: Any, group: Any) -> None:
    """part[row] = the products of one group, summed lane by lane."""
    shift = T.cast(T.ramp(0, 4, WORD), f"uint32x{WORD}")
    value = None
    for word in range(GROUP // WORD):
        w = nibble(spread(weight[out, group * (GROUP // WORD) + word], WORD), shift, WORD)
        product = x[0, 0, lanes(group * GROUP + word * WORD, WORD)] * w
        value = product if value is None else value + product
    store(part, [row, lanes(0, WORD)], value)


def gemm(outs: int, ins: int) -> Any:
    """m rows: some rows of weights become floats in a k-major tile, which all rows of x are multiplied with."""
    wide = width(outs, 16)

    def body(m: Any, x: Any, weight: Any, scale: Any, y: Any) -> None:
        with T.parallel(0, -(-outs // wide)) as index, block("gemm"):
            start = first(outs, wide, index)
            tall = room((ins, wide), "float32")
            _unpack(weight, scale, tall, start, ins, wide)
            total = room((ROWS, wide), "float32")
            with T.serial(0, (m + ROWS - 1) // ROWS) as turn:
                every = lanes(0, wide)
                for row in range(ROWS):
                    store(total, [row, every], spread(T.float32(0), wide))
                with T.serial(0, ins) as k:
                    for row in range(ROWS):
                        value = spread(x[0, last(m, turn * ROWS + row), k], wide) * tall[k, every]
                        store(total, [row, every], total[row, every] + value)
                for row in range(ROWS):
                    where = [0, last(m, turn * ROWS + row), lanes(start, wide)]
                    store(y, where, total[row, every])

    return function(f"gemm_fp32_{outs}_{ins}", None, outs, ins, body)


def _unpack(weight: Any, scale: Any, tall: Any, start: Any, ins: int, wide: int) -> None:
    """tall[k, v] = weight k of output start + v."""
    words = room((wide,), "uint32")
    scales = room((wide,), "float32")
    every = lanes(0, wide)
    with T.serial(0, ins // GROUP) as group:
        for row in range(wide):
            store(scales, [row], scale[start + row, group])
        with T.serial(0, GROUP // WORD) as word:
            for row in range(wide):
                store(words, [row], weight[start + row, group * (GROUP // WORD) + word])
            for j in range(WORD):
                w = nibble(words[every], spread(T.uint32(4 * j), wide), wide)
                store(tall, [group * GROUP + word * WORD + j, every], w * scales[every])
