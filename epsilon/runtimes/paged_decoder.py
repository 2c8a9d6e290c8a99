"""A decoder compiled the MLC way: TVM's virtual machine over a paged cache that many sequences share.

Whose TVM it is, `Bindings` says: the runtimes mlc and mlc_llm bring one each.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from epsilon.errors import InferenceError, ModelError

Array = npt.NDArray[Any]
Logits = npt.NDArray[np.float32]

CONFIG, PARAMETERS = "mlc-chat-config.json", "tensor-cache.json"
PAGE_TOKENS = 16
SEQUENCES = 4  # full ones that the cache has room for; what forks share counts once
SPARE_TOKENS = 16 * PAGE_TOKENS  # for the pages that sequences begin and do not fill
TOLERANCE = 1e-3  # of a library that does not say how its logits differ between pieces and one pass
POOLED = 2  # the kind of allocator: memory of a pass is kept for the next


class Bindings(Protocol):
    """What a decoder needs of a TVM."""

    errors: tuple[type[Exception], ...]  # what its functions raise

    def function(self, name: str) -> Callable[..., Any]:
        """A global function."""

    def shape(self, *sizes: int) -> Any:
        """Whole numbers as TVM wants them."""

    def load(self, path: Path) -> Any:
        """The module in a shared library."""

    def tensor(self, array: Array) -> Any:
        """A copy of an array on the device."""

    def empty(self, sizes: Sequence[int]) -> Any:
        """Room for floats on the device."""

    def array(self, tensor: Any) -> Array:
        """A copy of a tensor's floats."""

    def places(self) -> list[tuple[int, int]]:
        """Kind and number of the device and, if that is another, of the CPU."""


@dataclass(eq=False)
class PagedCache:
    """One sequence in the paged cache."""

    number: int
    length: int = 0


class PagedDecoder:
    """See epsilon.runtimes.decoder.Decoder."""

    def __init__(self, tvm: Bindings, library: Path, folder: Path) -> None:
        self._tvm = tvm
        try:
            self._start(library, folder)
        except tvm.errors as error:
            raise ModelError(f"TVM cannot load it: {_first_line(error)}", where=str(folder)) from error

    def _start(self, library: Path, folder: Path) -> None:
        tvm = self._tvm
        self._machine = _machine(tvm, library)
        described = json.loads(str(self._machine["_metadata"]()))
        self._parameters = _parameters(tvm, folder, [one["name"] for one in described["params"]])
        self.limit = int(described["context_window_size"])
        self.chunk = int(described["prefill_chunk_size"])
        self.tolerance = float(described.get("epsilon", {}).get("tolerance", TOLERANCE))
        sizes = described["kv_cache"]
        self._layers, self._kv_heads = sizes["num_hidden_layers"], sizes["num_key_value_heads"]
        self._head_dim = sizes["head_dim"]
        room = [SEQUENCES, SEQUENCES * self.limit + SPARE_TOKENS, self.chunk, PAGE_TOKENS, 0]
        self._cache = self._machine["create_tir_paged_kv_cache"](*map(tvm.shape, room))
        self._pass = {name: self._machine[name] for name in ("embed", "prefill", "decode")}
        self._state = {
            name: tvm.function(f"vm.builtin.kv_state_{name}")
            for name in "add_sequence remove_sequence fork_sequence popn begin_forward end_forward".split()
        }
        self._pages_left = tvm.function("vm.builtin.attention_kv_cache_get_num_available_pages")
        self._reshape = tvm.function("vm.builtin.reshape")
        self._next = 0
        self._gone: list[int] = []  # sequences that nobody holds any more; removed at the next call

    def new(self) -> PagedCache:
        """See Decoder."""
        self._sweep()
        cache = self._named()
        self._state["add_sequence"](self._cache, cache.number)
        return cache

    def length(self, cache: PagedCache) -> int:
        """See Decoder."""
        return cache.length

    def run(self, cache: PagedCache, ids: Sequence[int]) -> Logits:
        """See Decoder."""
        self._check_fits(cache, len(ids))
        rows = self._pass["embed"](self._tvm.tensor(np.array(ids, np.int32)), self._parameters)
        rows = self._reshape(rows, self._tvm.shape(1, len(ids), int(rows.shape[-1])))
        name = "decode" if len(ids) == 1 else "prefill"
        scores = self._forward(cache, len(ids), self._pass[name], rows, self._cache, self._parameters)
        return self._tvm.array(scores).reshape(-1)

    def keep(self, cache: PagedCache, length: int) -> None:
        """See Decoder."""
        self._sweep()
        if length == 0 < cache.length:  # the cache cannot take back a sequence to nothing
            self._state["remove_sequence"](self._cache, cache.number)
            self._state["add_sequence"](self._cache, cache.number)
        elif length < cache.length:
            self._state["popn"](self._cache, cache.number, cache.length - length)
        cache.length = length

    def fork(self, cache: PagedCache) -> PagedCache:
        """See Decoder."""
        if not cache.length:
            return self.new()
        self._sweep()
        self._demand(1)
        branch = self._named()
        self._state["fork_sequence"](self._cache, cache.number, branch.number, -1)
        branch.length = cache.length
        return branch

    def store(self, cache: PagedCache) -> Array:
        """Keys, not rotated, and values: float [layers, length, 2 kv heads, head_dim]."""
        sizes = (self._layers, cache.length, self._kv_heads, self._head_dim)
        if not cache.length:
            return np.zeros((*sizes[:2], 2 * self._kv_heads, self._head_dim), np.float32)
        keys, values = self._tvm.empty(sizes), self._tvm.empty(sizes)
        read = self._tvm.function("vm.builtin.attention_kv_cache_debug_get_kv")
        read(self._cache, cache.number, 0, cache.length, keys, values)
        keys = self._own("turn_back")(keys)
        return np.concatenate([self._tvm.array(keys), self._tvm.array(values)], axis=2)

    def restore(self, stored: Array) -> PagedCache:
        """See Decoder."""
        layers, length, rows, dim = stored.shape if stored.ndim == 4 else (0, 0, 0, 0)
        if (layers, rows, dim) != (self._layers, 2 * self._kv_heads, self._head_dim) or length > self.limit:
            raise ValueError(f"what was stored has the shape {list(stored.shape)}: it is not of this model")
        append = self._own("restore")
        cache = self.new()
        for start in range(0, length, self.chunk):
            part = np.ascontiguousarray(stored[:, start : start + self.chunk], np.float32)
            self._forward(cache, part.shape[1], append, self._tvm.tensor(part), self._cache)
        return cache

    def _forward(self, cache: PagedCache, count: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """A pass that appends `count` positions; its first result."""
        self._sweep()
        self._demand(-(-count // PAGE_TOKENS) + 1)
        try:
            self._state["begin_forward"](self._cache, self._tvm.shape(cache.number), self._tvm.shape(count))
            result = function(*arguments)[0]
            self._state["end_forward"](self._cache)
        except self._tvm.errors as error:
            raise InferenceError(f"TVM failed: {_first_line(error)}") from error
        cache.length += count
        return result

    def _check_fits(self, cache: PagedCache, count: int) -> None:
        if not 0 < count <= self.chunk or cache.length + count > self.limit:
            raise ValueError(
                f"{count} tokens after {cache.length}: a pass takes 1 to {self.chunk} up to {self.limit}"
            )

    def _named(self) -> PagedCache:
        """A number for a sequence; when nobody holds the cache any more it is remembered to be removed.

        Python may notice that in any thread, in the middle of a pass; the sequence is removed before the next.
        """
        cache = PagedCache(self._next)
        self._next += 1
        weakref.finalize(cache, self._gone.append, cache.number).atexit = False
        return cache

    def forget(self, number: int) -> None:
        """Remove a sequence that nobody holds any more."""
        self._state["remove_sequence"](self._cache, number)

    def offers(self, name: str) -> bool:
        """Whether the library has a function of that name."""
        try:
            self._machine[name]
        except self._tvm.errors:
            return False
        return True

    def _sweep(self) -> None:
        while self._gone:
            self.forget(self._gone.pop())

    def _demand(self, pages: int) -> None:
        """InferenceError when the cache has not so many pages left."""
        if self._pages_left(self._cache) < pages:
            what = f"the cache is full: it has room for {SEQUENCES} sequences of {self.limit} tokens"
            raise InferenceError(what, hint="let go of sequences that are over")

    def _own(self, name: str) -> Callable[..., Any]:
        """A function that libraries of this project have and others have not."""
        if not self.offers(name):
            raise ModelError(
                f"the library has no function '{name}'", hint="python -m tools.convert.llm makes one"
            )
        function: Callable[..., Any] = self._machine[name]
        return function


def demand_directory(folder: Path) -> None:
    """ModelError when the folder is none in MLC's form, or a file of its parameters is not whole."""
    for name in (CONFIG, PARAMETERS):
        if not (folder / name).is_file():
            hint = "python -m tools.convert.llm makes one"
            raise ModelError(f"there is no {name}: it is no model in MLC's form", str(folder), hint)
    present = {path.name for path in folder.iterdir() if path.is_file()}
    for shard in _shards(folder / PARAMETERS):
        path = folder / shard["dataPath"]
        if shard["dataPath"] not in present:
            raise ModelError("the file is missing", where=str(path))
        found = path.stat().st_size
        if found != shard["nbytes"]:
            raise ModelError(
                f"expected {shard['nbytes']} bytes, found {found}", str(path), "damaged or unfinished"
            )


def _shards(path: Path) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text("utf-8"))["records"]
        return [{"dataPath": str(one["dataPath"]), "nbytes": int(one["nbytes"])} for one in records]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"is no list of parameters: {error}", str(path), "damaged or unfinished") from error


def _machine(tvm: Bindings, library: Path) -> Any:
    """TVM's virtual machine with the library in it."""
    try:
        machine = tvm.load(library)["vm_load_executable"]()
        machine["vm_initialization"](*[one for place in tvm.places() for one in (*place, POOLED)])
    except tvm.errors as error:
        raise ModelError(f"TVM cannot load the library: {_first_line(error)}", where=str(library)) from error
    return machine


def _parameters(tvm: Bindings, folder: Path, names: list[str]) -> Any:
    """The weights on the device, in the order in which the library wants them."""
    kind, number = tvm.places()[0]
    tvm.function("vm.builtin.tensor_cache.load")(str(folder), kind, number)
    try:
        return tvm.function("vm.builtin.param_array_from_cache_by_name")(names)
    finally:
        tvm.function("vm.builtin.tensor_cache.clear")()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
