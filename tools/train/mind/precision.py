"""In which numbers this CPU multiplies fastest: bfloat16 where it has instructions for it, float32 elsewhere."""

from functools import cache
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
# Products of bfloat16 in hardware; without them the same code is slower than float32.
INSTRUCTIONS = frozenset(("avx512_bf16", "amx_bf16"))


@cache
def fast_type() -> torch.dtype:
    """The type that products are best computed in; sums, weights and optimisers stay in float32."""
    flags = CPUINFO.read_text().split() if CPUINFO.exists() else []
    return torch.float32 if INSTRUCTIONS.isdisjoint(flags) else torch.bfloat16
