"""Attention over the paged cache on a CPU, in place of TVM's own scalar functions, whose arguments it takes.

One head of one row at a time: the scores of all keys seen, their softmax, the weighted sum of the values. Keys are
rotated before they are stored (RopeMode.NORMAL), so that none of the rotation of TVM's functions is needed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.elementwise import exp2
from tools.convert.llm.mlc.kernels.tir import Heads, block, keep, lanes, reduced, room, shuffle, spread, store

PAGE = 16  # positions of a page: fixed in TVM's functions
WIDE = 8  # floats of a vector
FOUR = 4  # keys whose scores are summed up together
PART = 64  # of a head's width whose sums stay in registers
LOWEST = -5e4  # what TVM takes for the logarithm of nothing
NOTHING = -1e30  # a score that counts for nothing

Row = Callable[[Any], tuple[Any, ...]]  # position -> the indices of its vector, less the last


def ragged(heads: Heads) -> Any:
    """Rows of one pass among themselves; keys and values lie in a row."""
    with IRBuilder() as builder:
        with T.prim_func(s_tir=True):
            _named("batch_prefill_ragged_kv")
            at = {name: T.arg(name, T.handle()) for name in _RAGGED}
            causal, rotary, sm_scale = _numbers(True)
            batch, rows, kept = T.int32(), T.int32(), T.int32()
            q = T.match_buffer(at["q"], (rows, heads.queries, heads.size), "float32")
            q_start = _offsets(at["q_indptr"], batch + 1)
            k = T.match_buffer(at["k"], (kept, heads.keys, heads.size), "float32")
            v = T.match_buffer(at["v"], (kept, heads.keys, heads.size), "float32")
            k_start = _offsets(at["kv_indptr"], batch + 1)
            _offsets(at["q_rope_position"], rows)
            _offsets(at["k_rope_pos_offset"], batch)
            out = T.match_buffer(at["output"], (rows, heads.queries, heads.size), "float32")
            lse = T.match_buffer(at["lse"], (rows, heads.queries), "float32")
            with (
                _unrotated(rotary),
                T.serial(0, batch) as b,
                T.parallel(0, heads.queries) as head,
                block("attend"),
            ):
                first, count = keep(q_start[b]), keep(q_start[b + 1] - q_start[b])
                there, length = keep(k_start[b]), keep(k_start[b + 1] - k_start[b])
                scores = room((kept + WIDE,), "float32")
                kv_head = heads.key(head)
                with T.serial(0, count) as row:
                    seen = keep(_seen(causal, row, length, count))
                    job = Job(q, out, lse, (first + row, head), scores, seen, sm_scale, heads.size)

                    def place(position: Any) -> tuple[Any, ...]:
                        return (there + T.min(position, seen - 1), kv_head)

                    job.attend(k, place, v, place)
        return builder.get()


def paged(heads: Heads) -> Any:
    """Rows of one pass over what the cache remembered before it."""
    with IRBuilder() as builder:
        with T.prim_func(s_tir=True):
            _named("batch_prefill_paged_kv_cpu")
            at = {name: T.arg(name, T.handle()) for name in _PAGED}
            causal, rotary, sm_scale = _numbers(True)
            batch, rows = T.int32(), T.int32()
            q_start = _offsets(at["q_indptr"], batch + 1)
            cache = _cache(at, heads, batch, rows)
            with (
                _unrotated(rotary),
                T.serial(0, batch) as b,
                T.parallel(0, heads.queries) as head,
                block("attend"),
            ):
                first, count = keep(q_start[b]), keep(q_start[b + 1] - q_start[b])
                length = keep(cache.length(b))
                scores = room((cache.capacity + WIDE,), "float32")
                with T.serial(0, count) as row:
                    seen = keep(_seen(causal, row, length, count))
                    cache.attend(b, first + row, head, scores, seen, sm_scale)
        return builder.get()


def decode(heads: Heads) -> Any:
    """One row of each sequence over all that the cache remembers of it."""
    with IRBuilder() as builder:
        with T.prim_func(s_tir=True):
            _named("batch_decode_paged_kv_cpu")
            at = {name: T.arg(name, T.handle()) for name in _PAGED if name != "q_indptr"}
            _, rotary, sm_scale = _numbers(False)
            batch = T.int32()
            cache = _cache(at, heads, batch, batch)
            with (
                _unrotated(rotary),
                T.serial(0, batch) as b,
                T.serial(0, heads.queries) as head,
                block("attend"),
            ):
                scores = room((cache.capacity + WIDE,), "float32")
                cache.attend(b, b, head, scores, keep(cache.length(b)), sm_scale)
        return builder.get()


_RAGGED = "q q_indptr k v kv_indptr q_rope_position k_rope_pos_offset output lse".split()
_PAGED = "q q_indptr pages page_indptr page_values length_info k_rope_pos_offset q_rope_position output lse".split()


@dataclass(frozen=True)
class Cache:
    """The buffers of a paged cache and of the rows that look into it."""

    heads: Heads
    q: Any
    pages: Any  # [pages, keys or values, heads.keys, PAGE, heads.size]
    page_start: Any  # of each sequence in page_values
    page_values: Any
    last_length: Any  # positions used in the last page of each sequence
    out: Any
    lse: Any
    capacity: Any  # positions of all pages

    def length(self, b: Any) -> Any:
        """Positions remembered of sequence b."""
        count = self.page_start[b + 1] - self.page_start[b]
        return T.if_then_else(count > 0, (count - 1) * PAGE + self.last_length[b], 0)

    def attend(self, b: Any, row: Any, head: Any, scores: Any, seen: Any, sm_scale: Any) -> None:
        """Row `row` over the first `seen` positions of sequence b. A page is whole, so reading to its end is safe."""
        job = Job(self.q, self.out, self.lse, (row, head), scores, seen, sm_scale, self.heads.size)
        start, kv_head = keep(self.page_start[b]), self.heads.key(head)

        def place(what: int) -> Row:
            return lambda at: (self.page_values[start + at // PAGE], what, kv_head, at % PAGE)

        job.attend(self.pages, place(0), self.pages, place(1))


@dataclass(frozen=True)
class Job:
    """One head of one row."""

    q: Any
    out: Any
    lse: Any
    where: tuple[Any, Any]  # in q, out and lse
    scores: Any
    seen: Any  # how many positions it sees
    sm_scale: Any
    size: int

    def attend(self, k: Any, key: Row, v: Any, value: Row) -> None:
        """out and lse, the logarithm to base 2 of the sum of the exponentials, at `where`."""
        self._scores(k, key)
        largest = room((WIDE,), "float32")
        every = lanes(0, WIDE)
        store(largest, [every], spread(T.float32(LOWEST), WIDE))
        blocks = (self.seen + WIDE - 1) // WIDE
        with T.serial(0, blocks * WIDE - self.seen) as extra:
            store(self.scores, [self.seen + extra], T.float32(NOTHING))
        with T.serial(0, blocks) as at:
            store(largest, [every], T.max(largest[every], self.scores[lanes(at * WIDE, WIDE)]))
        top = keep(reduced(T.max, largest[every], WIDE))
        total = room((WIDE,), "float32")
        store(total, [every], spread(T.float32(0), WIDE))
        with T.serial(0, blocks) as at:
            power = keep(exp2(self.scores[lanes(at * WIDE, WIDE)] - spread(top, WIDE), WIDE))
            store(self.scores, [lanes(at * WIDE, WIDE)], power)
            store(total, [every], total[every] + power)
        whole = reduced(lambda a, b: a + b, total[every], WIDE)
        whole = keep(T.if_then_else(self.seen > 0, whole, T.float32(1)))
        store(self.lse, [*self.where], top + T.log2(whole))
        self._values(v, value, T.float32(1) / whole)

    def _scores(self, k: Any, key: Row) -> None:
        """Four keys at a time, up to three more than are seen."""
        factor = self.sm_scale * T.float32(math.log2(math.e))
        with T.serial(0, (self.seen + FOUR - 1) // FOUR) as four:
            sums = []
            for index in range(FOUR):
                place = key(four * FOUR + index)
                total = None
                for part in range(0, self.size, WIDE):
                    product = self.q[(*self.where, lanes(part, WIDE))] * k[(*place, lanes(part, WIDE))]
                    total = product if total is None else total + product
                sums.append(keep(total))
            store(self.scores, [lanes(four * FOUR, FOUR)], _folded(sums) * spread(factor, FOUR))

    def _values(self, v: Any, value: Row, factor: Any) -> None:
        factor = keep(factor)
        for part in range(0, self.size, PART):
            size = min(PART, self.size - part)
            total = room((size,), "float32")
            for at in range(0, size, WIDE):
                store(total, [lanes(at, WIDE)], spread(T.float32(0), WIDE))
            with T.serial(0, self.seen) as position:
                weight, place = spread(self.scores[position], WIDE), value(position)
                for at in range(0, size, WIDE):
                    product = weight * v[(*place, lanes(part + at, WIDE))]
                    store(total, [lanes(at, WIDE)], total[lanes(at, WIDE)] + product)
            for at in range(0, size, WIDE):
                where = [*self.where, lanes(part + at, WIDE)]
                store(self.out, where, total[lanes(at, WIDE)] * spread(factor, WIDE))


def _folded(sums: list[Any]) -> Any:
    """The sum over the lanes of each of four vectors, as the four lanes of one."""
    halves = [shuffle([each], range(FOUR)) + shuffle([each], range(FOUR, WIDE)) for each in sums]
    pairs = [_neighbours(keep(halves[at]), keep(halves[at + 1])) for at in (0, 2)]
    return _neighbours(keep(pairs[0]), keep(pairs[1]))


def _neighbours(a: Any, b: Any) -> Any:
    return shuffle([a, b], [0, 2, 4, 6]) + shuffle([a, b], [1, 3, 5, 7])


def _seen(causal: Any, row: Any, length: Any, count: Any) -> Any:
    """How many of `length` positions row `row` of `count` sees."""
    return T.if_then_else(causal > 0, T.min(length, T.max(length - count + row + 1, 0)), length)


def _named(symbol: str) -> None:
    T.func_name(symbol)
    T.func_attr({"global_symbol": symbol, "tirx.noalias": True, "tirx.is_scheduled": True})


def _numbers(masked: bool) -> tuple[Any, Any, Any]:
    causal = T.arg("causal", T.int32()) if masked else None
    rotary = T.arg("rotary_mode", T.int32())
    T.arg("rope_scale", T.float32())
    T.arg("rope_theta", T.float32())
    return causal, rotary, T.arg("sm_scale", T.float32())


def _unrotated(rotary: Any) -> Any:
    return T.Assert(rotary != 1, "keys and queries should be rotated before attention (RopeMode.NORMAL)")


def _offsets(at: Any, count: Any) -> Any:
    """An argument of whole numbers, which may start anywhere in what it is part of."""
    return T.match_buffer(at, (count,), "int32", elem_offset=T.int32())


def _cache(at: dict[str, Any], heads: Heads, batch: Any, rows: Any) -> Cache:
    pages, used = T.int32(), T.int32()
    shape = (pages, 2, heads.keys, PAGE, heads.size)
    _offsets(at["k_rope_pos_offset"], batch)
    _offsets(at["q_rope_position"], rows)
    return Cache(
        heads,
        T.match_buffer(at["q"], (rows, heads.queries, heads.size), "float32"),
        T.match_buffer(at["pages"], shape, "float32"),
        _offsets(at["page_indptr"], batch + 1),
        _offsets(at["page_values"], used),
        _offsets(at["length_info"], batch),
        T.match_buffer(at["output"], (rows, heads.queries, heads.size), "float32"),
        T.match_buffer(at["lse"], (rows, heads.queries), "float32"),
        pages * PAGE,
    )
