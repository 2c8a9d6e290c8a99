"""What the compiler plans to allocate in each function, besides weights and cache."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax
from tvm.ir import Op
from tvm.tirx import IntImm

STORAGE, TENSOR = "relax.memory.alloc_storage", "relax.builtin.alloc_tensor"


def planned_bytes(module: Any) -> dict[str, int]:
    """Bytes by function, after memory has been planned; what has no known size is not counted."""
    functions = {
        str(name.name_hint): function
        for name, function in module.functions_items()
        if isinstance(function, relax.Function)
    }
    return {name: _bytes(function) for name, function in sorted(functions.items())}


def _bytes(function: Any) -> int:
    found = [0]

    def visit(expression: Any) -> None:
        if isinstance(expression, relax.Call) and isinstance(expression.op, Op):
            if expression.op.name == STORAGE:
                found[0] += _count(expression.args[0])
            elif expression.op.name == TENSOR:
                kind = tvm.DataType(str(expression.args[1].value))
                found[0] += _count(expression.args[0]) * ((kind.bits + 7) // 8)

    relax.analysis.post_order_visit(function, visit)
    return found[0]


def _count(sizes: Any) -> int:
    """How many elements; 0 when a size is only known at run time."""
    count = 1
    for size in sizes.values:
        count *= int(size) if isinstance(size, IntImm) else 0
    return count
