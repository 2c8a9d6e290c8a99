"""How close products of bytes come here: on x86 without VNNI onnxruntime's saturate (tools/convert/asr/README.md)."""

from __future__ import annotations

import platform
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def saturates() -> bool:
    """True on an x86 whose products of bytes cut off sums of two large ones."""
    if platform.machine() != "x86_64":
        return False
    return not {"avx512_vnni", "avx_vnni"} & set(CPU_INFO.read_text(encoding="utf-8").split())


LEAST_COSINE = (
    0.99 if saturates() else 0.9995
)  # of an int8 graph's outputs against float32, by a converter's tests
