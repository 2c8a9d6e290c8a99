"""Language models in MLC's form, on a real installation of mlc_llm with the TVM it brings.

mlc_llm's own engine takes whole prompts and has no way to append to one or take something back. So the engine is
left out and the library is driven as the engine would: its functions (embed, prefill, decode, the paged cache's)
on the TVM of the installation, by the same code as the runtime mlc. Appending, rolling back and forking are exact
and cost nothing twice. mlc_llm itself is imported for the functions that it adds to TVM, which libraries compiled
by it may call.

Libraries of `python -m tools.convert.llm` run here when they were compiled with the installation's TVM, and so
should those of `mlc_llm compile` under the same file name. These have nothing that reads or fills a cache: what is
stored of a sequence is then its tokens, and restoring prefills them.

No real mlc_llm has been loaded by this file: it is on no package registry. Tests hold it against a double of the
package over the apache-tvm that is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.config.models import Model
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes.mlc import demand_version, find_library, limit_threads
from epsilon.runtimes.paged_decoder import Array, Logits, PagedCache, PagedDecoder, demand_directory

INSTALL = "https://llm.mlc.ai/docs/install/mlc_llm.html says how to install it"


def load_decoder(model: Model, seat: Seat) -> PagedDecoder:
    """The model on the seat's device and cores; ModelError when installation, version or files are wrong."""
    demand_directory(model.folder)
    limit_threads(seat)
    tvm = _package()
    demand_version(model, str(tvm.__version__))
    library = find_library(model.folder, seat.device)
    return TokenDecoder(PackageBindings(tvm, seat.device), library, model.folder)


class TokenDecoder(PagedDecoder):
    """Keeps each sequence's tokens, for libraries that cannot give out what the cache holds."""

    def __init__(self, tvm: PackageBindings, library: Path, folder: Path) -> None:
        super().__init__(tvm, library, folder)
        self._complete = all(self.offers(name) for name in ("restore", "turn_back"))
        self._ids: dict[int, list[int]] = {}

    def new(self) -> PagedCache:
        """See Decoder."""
        cache = super().new()
        self._ids[cache.number] = []
        return cache

    def run(self, cache: PagedCache, ids: Sequence[int]) -> Logits:
        """See Decoder."""
        logits = super().run(cache, ids)
        self._ids[cache.number] += ids
        return logits

    def keep(self, cache: PagedCache, length: int) -> None:
        """See Decoder."""
        super().keep(cache, length)
        del self._ids[cache.number][length:]

    def fork(self, cache: PagedCache) -> PagedCache:
        """See Decoder."""
        branch = super().fork(cache)
        self._ids[branch.number] = list(self._ids[cache.number])
        return branch

    def store(self, cache: PagedCache) -> Array:
        """See Decoder; tokens [length] where the library gives out nothing better."""
        if self._complete:
            return super().store(cache)
        return np.array(self._ids[cache.number], np.float32)

    def restore(self, stored: Array) -> PagedCache:
        """See Decoder."""
        if self._complete:
            return super().restore(stored)
        if stored.ndim != 1 or len(stored) > self.limit:
            raise ValueError(f"what was stored has the shape {list(stored.shape)}: it is not of this model")
        cache = self.new()
        for start in range(0, len(stored), self.chunk):
            self.run(cache, [int(one) for one in stored[start : start + self.chunk]])
        return cache

    def forget(self, number: int) -> None:
        """See PagedDecoder."""
        super().forget(number)
        self._ids.pop(number, None)


class PackageBindings:
    """The Python package of a TVM (see paged_decoder.Bindings)."""

    def __init__(self, tvm: Any, device: str) -> None:
        self._tvm = tvm
        self.errors: tuple[type[Exception], ...] = (RuntimeError, ValueError, TypeError, AttributeError)
        self._device = tvm.opencl(0) if device == "opencl" else tvm.cpu(0)
        if device == "opencl" and not self._device.exist:
            raise ModelError("this TVM finds no OpenCL device", hint="`device: cpu`")

    def function(self, name: str) -> Callable[..., Any]:
        """See Bindings."""
        function: Callable[..., Any] = self._tvm.get_global_func(name)
        return function

    def shape(self, *sizes: int) -> Any:
        """See Bindings."""
        return self._tvm.runtime.ShapeTuple(sizes)

    def load(self, path: Path) -> Any:
        """See Bindings."""
        return self._tvm.runtime.load_module(str(path))

    def tensor(self, array: Array) -> Any:
        """See Bindings."""
        return self._tvm.runtime.tensor(np.ascontiguousarray(array), self._device)

    def empty(self, sizes: Sequence[int]) -> Any:
        """See Bindings."""
        return self._tvm.runtime.empty(tuple(sizes), "float32", self._device)

    def array(self, tensor: Any) -> Array:
        """See Bindings."""
        array: Array = tensor.numpy()
        return array

    def places(self) -> list[tuple[int, int]]:
        """See Bindings."""
        cpu = (int(self._tvm.cpu(0).dlpack_device_type()), 0)
        device = (int(self._device.dlpack_device_type()), 0)
        return [device] if device == cpu else [device, cpu]


def _package() -> Any:
    """The installation's TVM, with what mlc_llm adds to it, and Python's hook for uncaught exceptions as it was."""
    hook = sys.excepthook
    try:
        importlib.import_module("mlc_llm")
        return importlib.import_module("tvm")
    except ModuleNotFoundError as missing:
        raise ModelError(f"the runtime mlc_llm needs the package {missing.name}", hint=INSTALL) from missing
    finally:
        sys.excepthook = hook
