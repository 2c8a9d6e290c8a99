"""The OpenCL kernels of a compiled library: how many work-items a group has and how much local memory it shares."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from tvm import tirx

KERNEL = re.compile(r"__kernel void (\w+)\([^;{]*\) \{(.*?)\n\}", re.S)
LOCAL = re.compile(r"^\s*__local (\w+?)(\d*) \w+\[(\d+)\];", re.M)
BYTES = {
    "char": 1,
    "uchar": 1,
    "half": 2,
    "short": 2,
    "int": 4,
    "uint": 4,
    "float": 4,
    "long": 8,
    "double": 8,
}
BINDING = re.compile(r"thread_binding\((?:T\.int\d+\()?(\d+)\)?, thread=\"threadIdx\.([xyz])\"")


@dataclass(frozen=True)
class Kernel:
    """One kernel."""

    name: str
    group: tuple[int, int, int]  # work-items along each axis
    local_bytes: int

    @property
    def items(self) -> int:
        """Work-items in a group."""
        return math.prod(self.group)


def kernels(executable: Any, planned: Any) -> list[Kernel]:
    """Every kernel by name; the group of one comes from the function that it was made of."""
    groups = {
        str(name.name_hint): _group(str(function.script()))
        for name, function in planned.functions_items()
        if isinstance(function, tirx.PrimFunc)
    }
    found = dict(KERNEL.findall(source(executable)))
    return [Kernel(name, groups[_origin(name)], _local_bytes(body)) for name, body in sorted(found.items())]


def source(executable: Any) -> str:
    """The OpenCL text inside a library in memory; every kernel is in it several times."""
    waiting, texts = [executable.mod], []
    while waiting:
        module = waiting.pop()
        if module.kind == "opencl":
            texts.append(str(module.inspect_source()))
        waiting += list(module.imports)
    return "\n".join(texts)


def _origin(kernel: str) -> str:
    """The function a kernel was made of: one that launches several numbers them."""
    return re.sub(r"_kernel(_\d+)?$", "", kernel)


def _group(script: str) -> tuple[int, int, int]:
    """The largest extent of each axis of work-items in a function, over all kernels of it."""
    extents = dict.fromkeys("xyz", 1)
    for extent, axis in BINDING.findall(script):
        extents[axis] = max(extents[axis], int(extent))
    x, y, z = extents.values()
    return x, y, z


def _local_bytes(body: str) -> int:
    found = LOCAL.findall(body)
    return sum(BYTES[kind] * int(lanes or 1) * int(count) for kind, lanes, count in found)
