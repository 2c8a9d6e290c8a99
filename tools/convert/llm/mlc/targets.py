"""The machines that libraries are compiled for, by the names of the command line."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tvm
from tvm.support import cc
from tvm.target import Target

from epsilon.errors import ModelError

CROSS_COMPILER = "aarch64-linux-gnu-g++"
CROSS_PACKAGES = "apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu"
AARCH64 = {
    "kind": "llvm",
    "mtriple": "aarch64-linux-gnu",
    "mcpu": "cortex-a76",
    "mattr": ["+dotprod", "+fullfp16"],
}
MALI_SHARED_BYTES = (
    32768  # what OpenCL promises a work-group on a Mali: local memory that is the cache itself
)
MALI_THREADS = 256


@dataclass(frozen=True)
class Machine:
    """What to compile for, and how the result is called and linked."""

    name: str
    target: Target
    library: str  # the file in the model folder
    link: Callable[..., Any] | None = None  # None: with the compiler of this machine

    @property
    def is_cpu(self) -> bool:
        """Whether the products run on the CPU."""
        return bool(self.target.kind.name == "llvm")


def machine(name: str) -> Machine:
    """The machine of that name; ModelError when what is needed to link for it is missing."""
    return MACHINES[name]()


def _host() -> Machine:
    triple = tvm.get_global_func("target.llvm_get_system_triple")()
    cpu = tvm.get_global_func("target.llvm_get_system_cpu")()
    target = Target({"kind": "llvm", "mtriple": triple, "mcpu": cpu})
    return Machine("host", target, f"library-{platform.machine()}.so")


def _aarch64() -> Machine:
    return Machine("aarch64", Target(AARCH64 | {"num-cores": 4}), "library-aarch64.so", _cross_linker())


def _opencl_mali() -> Machine:
    target = Target(
        {
            "kind": "opencl",
            "device": "mali",
            "max_threads_per_block": MALI_THREADS,
            "max_num_threads": MALI_THREADS,
            "max_shared_memory_per_block": MALI_SHARED_BYTES,
            "thread_warp_size": 1,
            "host": {name: AARCH64[name] for name in ("kind", "mtriple")},
        }
    )
    return Machine("opencl-mali", target, "library-opencl-mali.so", _cross_linker())


def _cross_linker() -> Callable[..., Any] | None:
    if platform.machine() == "aarch64":
        return None
    if shutil.which(CROSS_COMPILER) is None:
        raise ModelError(f"there is no {CROSS_COMPILER} to link with", hint=CROSS_PACKAGES)
    linker: Callable[..., Any] = cc.cross_compiler(CROSS_COMPILER, options=["-shared", "-fPIC"])
    return linker


MACHINES: dict[str, Callable[[], Machine]] = {
    "host": _host,
    "aarch64": _aarch64,
    "opencl-mali": _opencl_mali,
}
