"""The few words of TVM's TIR builder that the kernels are written in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tvm
from tvm.ir.prim.expr import Shuffle
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script.builder import ir as T

GROUP = 32  # weights that share a scale
WORD = 8  # weights in one uint32, the first in the low bits
SHARED_ROWS = 8  # rows of small work that are worth a second thread
LOW = 0x0F0F0F0F  # the low nibble of each byte of a word

Body = Callable[[Any, Any, Any, Any, Any], None]  # m, x, q_weight, q_scale, y


def function(name: str, rows: int | None, outs: int, ins: int, body: Body) -> Any:
    """A PrimFunc (x [1,m,ins], q_weight [outs,ins/8], q_scale [outs,ins/32]) -> y [1,m,outs]; `body` writes it.

    `rows` is m when it is fixed (1: one token), None when it is known only at run time.
    """
    with IRBuilder() as builder:
        with T.prim_func(private=True, s_tir=True):
            T.func_name(name)
            T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
            x_at = T.arg("x", T.handle())
            weight_at = T.arg("q_weight", T.handle())
            scale_at = T.arg("q_scale", T.handle())
            y_at = T.arg("y", T.handle())
            m = T.int64() if rows is None else rows
            x = T.match_buffer(x_at, (T.int64(1), m, ins), "float32")
            weight = T.match_buffer(weight_at, (outs, ins // WORD), "uint32")
            scale = T.match_buffer(scale_at, (outs, ins // GROUP), "float32")
            y = T.match_buffer(y_at, (T.int64(1), m, outs), "float32")
            body(m, x, weight, scale, y)
        return builder.get()


@dataclass(frozen=True)
class Heads:
    """How attention is divided."""

    queries: int
    keys: int
    size: int

    def key(self, head: Any) -> Any:
        """Which head of keys and values a head of queries looks at."""
        return head // (self.queries // self.keys)


def each_row(m: Any, body: Callable[[Any], None]) -> None:
    """`body` for m rows, by all threads when there are so many that it pays to wake them."""
    with T.If(m < SHARED_ROWS):
        with T.Then(), T.serial(0, m) as row:
            body(row)
        with T.Else(), T.parallel(0, m) as row:
            body(row)


@contextmanager
def block(name: str) -> Iterator[None]:
    """A piece of a thread's work with buffers of its own, which no schedule takes apart."""
    with T.sblock(name):
        T.reads()
        T.writes()
        yield


def room(shape: tuple[int, ...], dtype: str) -> Any:
    """A buffer of the block being written; a small one, indexed by constants, becomes registers."""
    return T.sblock_alloc_buffer(shape, dtype)


def store(buffer: Any, indices: list[Any], value: Any) -> None:
    T.buffer_store(buffer, value, indices)


def lanes(start: Any, count: int) -> Any:
    """The indices start, start + 1, …: as an index this loads or stores a vector."""
    return T.ramp(start, 1, count)


def spread(value: Any, count: int) -> Any:
    """A vector that holds `value` `count` times."""
    return T.broadcast(value, count)


def nibble(word: Any, shift: Any, count: int) -> Any:
    """Four bits of each of `count` uint32, as float32, less the 7 by which they are stored."""
    bits = (word >> shift) & spread(T.uint32(15), count)
    return T.cast(T.cast(bits, f"int32x{count}") - spread(T.int32(7), count), f"float32x{count}")


def halves(words: Any, count: int) -> tuple[Any, Any]:
    """The even and the odd weights of `count` words of nibbles, as bytes 0..15."""
    words = keep(words)
    mask = spread(T.uint32(LOW), count)
    odd = (words >> spread(T.uint32(4), count)) & mask
    return keep(T.reinterpret(f"int32x{count}", words & mask)), keep(T.reinterpret(f"int32x{count}", odd))


def last(count: Any, index: Any) -> Any:
    """`index`, or the last of `count` where there is no such one: a ragged tile does its last row again."""
    return T.min(index, count - 1)


def width(count: int, most: int) -> int:
    """How many outputs a tile has: `most`, less where there are not as many, always a power of two."""
    while most > count:
        most //= 2
    return most


def first(count: int, most: int, index: Any) -> Any:
    """Where tile `index` starts; the last one of a ragged `count` overlaps the one before and says the same."""
    return index * most if count % most == 0 else T.min(index * most, count - most)


def has(target: tvm.target.Target, feature: str) -> bool:
    """Whether LLVM knows that processors of `target` have `feature`."""
    return bool(tvm.get_global_func("target.target_has_feature")(feature, target))


def shuffle(vectors: list[Any], order: Iterable[int]) -> Any:
    """The lanes of `vectors`, counted through all of them, in another order; one lane is a scalar."""
    order = list(order)
    there = sum(tvm.DataType(vector.ty.dtype).lanes for vector in vectors)
    enough = vectors * -(-len(order) // there)  # TVM wants no more lanes out than in
    return Shuffle(enough, [T.int32(index) for index in order])


def keep(value: Any) -> Any:
    """`value` computed here, once."""
    return T.bind(value)


def reduced(operation: Any, vector: Any, count: int) -> Any:
    """All lanes of `vector` in one, half by half."""
    while count > 1:
        count //= 2
        vector = keep(vector)
        low, high = shuffle([vector], range(count)), shuffle([vector], range(count, 2 * count))
        vector = operation(low, high)
    return vector
