"""Rows of activations as int8: a scale for each group of 32, and what each group's sum starts from.

A group's 32 bytes are eight words: the even places of each eight in the first four words, the odd ones in the last
four. That is how nibbles come out of a word of weights: the low ones of its four bytes, then the high ones.

A stored weight is q, its value (q - 7) x scale. So a group's sum of q x starts from -7 times the sum of its x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.dots import Dot
from tools.convert.llm.mlc.kernels.tir import GROUP, keep, lanes, reduced, room, shuffle, spread, store

HALF = 4  # words of a group's even places, and of its odd ones


@dataclass(frozen=True)
class Rows:
    """Buffers for `count` quantised rows; groups come first, so that one group of all rows lies together.

    A vector of `dot.size` bytes holds the even places of so many groups, the next one their odd places.
    """

    count: Any
    words: Any  # int32 [vectors, count, 2 * dot.words]
    scale: Any  # float32 [groups * count]
    start: Any  # int32 [groups * count * lanes]: what the running sum of each group starts from
    lanes: int  # 4: each lane from its own; 1: their sum
    dot: Dot

    @classmethod
    def of(cls, count: Any, groups: int, lanes: int, dot: Dot) -> Rows:
        words = room((groups // dot.groups, count, 2 * dot.words), "int32")
        scale = room((groups * count,), "float32")
        return cls(count, words, scale, room((groups * count * lanes,), "int32"), lanes, dot)


def quantise(x: Any, row: Any, rows: Rows, groups: int) -> None:
    """Row `row` of x [1,m,K] into `rows`."""
    with T.serial(0, groups) as group:
        values = keep(x[0, row, lanes(group * GROUP, GROUP)])
        largest = keep(reduced(T.max, T.fabs(values), GROUP))
        store(rows.scale, [group * rows.count + row], largest * T.float32(1 / 127))
        inverse = keep(T.if_then_else(largest > T.float32(0), T.float32(127) / largest, T.float32(0)))
        rounded = T.cast(T.nearbyint(values * spread(inverse, GROUP)), f"int32x{GROUP}")
        short = keep(T.cast(rounded, f"int8x{GROUP}"))
        even = keep(T.reinterpret("int32x4", shuffle([short], range(0, GROUP, 2))))
        odd = keep(T.reinterpret("int32x4", shuffle([short], range(1, GROUP, 2))))
        vector, place = group // rows.dot.groups, group % rows.dot.groups * HALF
        store(rows.words, [vector, row, lanes(place, HALF)], even)
        store(rows.words, [vector, row, lanes(place + rows.dot.words, HALF)], odd)
        _start(rows, group * rows.count + row, even, odd)


def _start(rows: Rows, place: Any, even: Any, odd: Any) -> None:
    """-7 times the sum of the group's x, as the dot product itself would add it up."""
    dot = Dot(rows.dot.path, 4 * HALF)
    sevens = spread(T.int32(0x07070707), HALF)
    total = keep(dot.minus(dot.add(dot.add(spread(T.int32(0), HALF), sevens, even), sevens, odd)))
    if rows.lanes == HALF:
        store(rows.start, [lanes(place * HALF, HALF)], total)
        return
    for step in (2, 1):
        total = keep(dot.plus(total, shuffle([total], [lane ^ step for lane in range(HALF)])))
    store(rows.start, [place], shuffle([total], [0]))
