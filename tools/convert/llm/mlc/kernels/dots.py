"""Integer dot products of four bytes at a time, by the instructions that a target has.

Weights are bytes 0..15 and x is bytes -127..127; both come as vectors of 32-bit words, four bytes each. A running
sum is a vector too, in a form of the path's own: `add` adds four products to each lane, `whole` makes int32 of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tvm.target import Target
from tvm.tirx.script.builder import ir as T

from tools.convert.llm.mlc.kernels.tir import has, shuffle, spread

Path = Literal["avx512vnni", "avxvnni", "avx2", "dotprod", "portable"]

MULTIPLY_BYTES = {16: "llvm.x86.ssse3.pmadd.ub.sw.128", 32: "llvm.x86.avx2.pmadd.ub.sw"}
ADD_PAIRS = {16: "llvm.x86.sse2.pmadd.wd", 32: "llvm.x86.avx2.pmadd.wd"}
WIDEST = {"avx512vnni": 64, "avxvnni": 32, "avx2": 32, "dotprod": 16, "portable": 16}


@dataclass(frozen=True)
class Dot:
    """How one path multiplies vectors of `size` bytes."""

    path: Path
    size: int

    @classmethod
    def best(cls, target: Target) -> Dot:
        """The widest vectors of the best path that `target` has."""
        found = path(target)
        return cls(found, WIDEST[found])

    @property
    def words(self) -> int:
        return self.size // 4

    @property
    def groups(self) -> int:
        """How many groups give a vector their even places, or their odd ones."""
        return self.size // 16

    @property
    def paired(self) -> bool:
        """A lane of the running sum is two int16. 15 x 127 x 32 = 60960 would not fit one, but half of it does."""
        return self.path == "avx2"

    def add(self, total: Any, weight: Any, x: Any) -> Any:
        """`total` with the products of four bytes of `weight` and of `x` added to each lane."""
        if self.path == "avx2":
            products = _call(
                f"int16x{self.size // 2}", MULTIPLY_BYTES[self.size], self.bytes(weight), self.bytes(x)
            )
            return self.plus(total, T.reinterpret(f"int32x{self.words}", products))
        if self.path == "dotprod":
            name = "llvm.aarch64.neon.sdot.v4i32.v16i8"
            return _call("int32x4", name, total, self.bytes(weight), self.bytes(x))
        if self.path == "portable":
            return total + self._portable(weight, x)
        name = f"llvm.x86.avx512.vpdpbusd.{self.size * 8}"
        return _call(f"int32x{self.words}", name, total, self.bytes(weight), self.bytes(x))

    def plus(self, a: Any, b: Any) -> Any:
        """The sum of two running sums."""
        if not self.paired:
            return a + b
        dtype = f"int16x{self.size // 2}"
        return T.reinterpret(f"int32x{self.words}", T.reinterpret(dtype, a) + T.reinterpret(dtype, b))

    def minus(self, a: Any) -> Any:
        """A running sum with its sign turned."""
        if not self.paired:
            return spread(T.int32(0), self.words) - a
        dtype = f"int16x{self.size // 2}"
        zero = spread(T.int16(0), self.size // 2)
        return T.reinterpret(f"int32x{self.words}", zero - T.reinterpret(dtype, a))

    def whole(self, total: Any) -> Any:
        """The running sum as int32."""
        if not self.paired:
            return total
        dtype = f"int16x{self.size // 2}"
        ones = spread(T.int16(1), self.size // 2)
        return _call(f"int32x{self.words}", ADD_PAIRS[self.size], T.reinterpret(dtype, total), ones)

    def fold(self, totals: list[Any]) -> Any:
        """Four running sums in one: of each four lanes of sum i, the whole is lane i of the four."""
        while len(totals) > 1:
            totals = [self._fold(*totals[index : index + 2]) for index in range(0, len(totals), 2)]
        return totals[0]

    def _fold(self, a: Any, b: Any) -> Any:
        """Neighbouring lanes added: of each four lanes, two of `a`, then two of `b`."""
        order = [at + four for four in range(0, self.words, 4) for at in (0, 2, self.words, self.words + 2)]
        even, odd = shuffle([a, b], order), shuffle([a, b], [index + 1 for index in order])
        return self.plus(even, odd)

    def bytes(self, words: Any) -> Any:
        return T.reinterpret(f"int8x{self.size}", words)

    def _portable(self, weight: Any, x: Any) -> Any:
        """Plain multiplications and additions: LLVM makes of them what the target has."""
        wide = f"int16x{self.size}"
        products = T.cast(self.bytes(weight), wide) * T.cast(self.bytes(x), wide)
        pairs = shuffle([products], range(0, self.size, 2)) + shuffle([products], range(1, self.size, 2))
        pairs = T.cast(pairs, f"int32x{self.size // 2}")
        half = self.size // 2
        return shuffle([pairs], range(0, half, 2)) + shuffle([pairs], range(1, half, 2))


def path(target: Target) -> Path:
    """The best path that `target` has. usdot of i8mm is not needed: weights of four bits are signed bytes too."""
    if has(target, "avx512vnni") and has(target, "avx512vl"):
        return "avx512vnni"
    if has(target, "avxvnni"):
        return "avxvnni"
    if has(target, "avx2"):
        return "avx2"
    return "dotprod" if has(target, "dotprod") else "portable"


def _call(dtype: str, name: str, *arguments: Any) -> Any:
    return T.call_llvm_pure_intrin(dtype, name, *arguments)
