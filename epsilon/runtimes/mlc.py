"""Language models in MLC's form, on TVM's runtime: the extra `mlc` installs it.

A model folder holds mlc-chat-config.json, tensor-cache.json, params_shard_*.bin, tokenizer.json, chat.yaml and a
library for each kind of machine; `python -m tools.convert.llm` makes one. A library and the TVM that runs it must
be of one version: the model's row in the manifest says which (`tvm:`).

Of the package apache-tvm the shared library of the runtime is used and nothing else: no compiler in memory, and
none of the package's Python, which would import sockets and replace the hook for uncaught exceptions.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.config import folders
from epsilon.config.models import Model
from epsilon.errors import ModelError, nearest
from epsilon.realtime import Seat
from epsilon.runtimes import Array
from epsilon.runtimes.paged_decoder import PagedDecoder, demand_directory

PACKAGE = "apache-tvm"
INSTALL = (
    "pip install apache-tvm==0.27.0.post1 apache-tvm-ffi==0.1.15.post2; other pairs may not fit each other"
)
RUNTIME_LIBRARY = "libtvm_runtime.so"
OPENCL_LIBRARY = "libtvm_runtime_opencl.so"  # not in the package: built from TVM's sources for the board
CPU, OPENCL = 1, 4  # kinds of device, by DLPack
OPENCL_TARGET = "opencl-mali"


def load_decoder(model: Model, seat: Seat) -> PagedDecoder:
    """The model on the seat's device and cores; ModelError when package, version, library or files are wrong."""
    demand_directory(model.folder)
    demand_version(model, _installed())
    library = find_library(model.folder, seat.device)
    limit_threads(seat)
    return PagedDecoder(FfiBindings(seat.device), library, model.folder)


def demand_version(model: Model, here: str) -> None:
    """ModelError when the TVM here is not the one that the model's library was compiled with."""
    anew = "python -m tools.convert.llm compiles it anew"
    if not model.tvm:
        what = f"its row in the manifest does not say which TVM compiled its library; this is TVM {here}"
        raise ModelError(what, f"model {model.name}", f"`tvm: VERSION` in the row; {anew}")
    if model.tvm != here:
        raise ModelError(f"compiled with TVM {model.tvm}, this is TVM {here}", f"model {model.name}", anew)


def find_library(folder: Path, device: str) -> Path:
    """The library for a device of this machine; ModelError names those there are."""
    machine = OPENCL_TARGET if device == "opencl" else platform.machine()
    path = folder / f"library-{machine}.so"
    if not path.is_file():
        there = [file.stem.removeprefix("library-") for file in folder.glob("library-*.so")]
        what = f"there is no {path.name}{nearest(machine, there)}"
        raise ModelError(what, folders.shown(folder), "python -m tools.convert.llm --target compiles one")
    return path


def limit_threads(seat: Seat) -> None:
    """As many threads as the seat has cores; they inherit the cores of the thread that computes first.

    TVM has a pool for each calling thread, made at its first pass from these variables. Left alone it would pin
    its threads, the caller among them, to cores of its own choice.
    """
    os.environ["TVM_NUM_THREADS"] = str(seat.threads)
    os.environ["TVM_BIND_THREADS"] = "0"


class FfiBindings:
    """TVM's runtime library through its function interface (see paged_decoder.Bindings)."""

    def __init__(self, device: str) -> None:
        self._ffi, self._library = _package()
        self.errors: tuple[type[Exception], ...] = (RuntimeError, ValueError, TypeError, AttributeError)
        self._kind = OPENCL if device == "opencl" else CPU
        if self._kind == OPENCL:
            _load_opencl(self._library)
        self._device = self._ffi.device("opencl" if self._kind == OPENCL else "cpu", 0)
        if self._kind == OPENCL and not self.function("runtime.GetDeviceAttr")(OPENCL, 0, 0):
            raise ModelError("OpenCL has no device here", hint="`device: cpu`, or install the GPU's driver")
        self._allocate = self.function("runtime.TVMTensorAllocWithScope")
        self._copy_in = self.function("runtime.TVMTensorCopyFromBytes")
        self._copy_out = self.function("runtime.TVMTensorCopyToBytes")

    def function(self, name: str) -> Callable[..., Any]:
        """See Bindings."""
        function: Callable[..., Any] = self._ffi.get_global_func(name)
        return function

    def shape(self, *sizes: int) -> Any:
        """See Bindings."""
        return self._ffi.Shape(sizes)

    def load(self, path: Path) -> Any:
        """See Bindings."""
        return self._ffi.load_module(str(path))

    def tensor(self, array: Array) -> Any:
        """See Bindings."""
        array = np.ascontiguousarray(array)
        tensor = self._allocate(
            self.shape(*array.shape), self._ffi.dtype(str(array.dtype)), self._device, None
        )
        self._copy_in(tensor, array.ctypes.data_as(ctypes.c_void_p), array.nbytes)
        return tensor

    def empty(self, sizes: Sequence[int]) -> Any:
        """See Bindings."""
        return self._allocate(self.shape(*sizes), self._ffi.dtype("float32"), self._device, None)

    def array(self, tensor: Any) -> Array:
        """See Bindings."""
        result = np.empty(tuple(tensor.shape), np.float32)
        self._copy_out(tensor, result.ctypes.data_as(ctypes.c_void_p), result.nbytes)
        return result

    def places(self) -> list[tuple[int, int]]:
        """See Bindings."""
        return [(CPU, 0)] if self._kind == CPU else [(self._kind, 0), (CPU, 0)]


def _installed() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError("the runtime mlc needs the package apache-tvm", hint=INSTALL) from error


def _package() -> tuple[Any, Path]:
    """TVM's function interface, and the folder of its libraries with that of the runtime loaded."""
    found = importlib.util.find_spec("tvm")
    if found is None or found.origin is None:
        raise ModelError("the runtime mlc needs the package apache-tvm", hint=INSTALL)
    libraries = Path(found.origin).parent / "lib"
    try:
        interface = _without_torch()
        ctypes.CDLL(str(libraries / RUNTIME_LIBRARY), mode=ctypes.RTLD_GLOBAL)
    except (ImportError, OSError) as error:
        raise ModelError(f"apache-tvm cannot be loaded: {error}", hint=INSTALL) from error
    return interface, libraries


def _without_torch() -> Any:
    """The package tvm_ffi, which would import the whole of torch where there is one."""
    modules: dict[str, Any] = sys.modules
    if "torch" in modules:
        return importlib.import_module("tvm_ffi")
    modules["torch"] = None  # what Python documents for "do not import this"
    try:
        return importlib.import_module("tvm_ffi")
    finally:
        del modules["torch"]


def _load_opencl(libraries: Path) -> None:
    path = libraries / OPENCL_LIBRARY
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        hint = "build it from the sources of that TVM (USE_OPENCL=ON), or `device: cpu`"
        raise ModelError(f"this TVM has no OpenCL: {error}", where=str(path), hint=hint) from error
