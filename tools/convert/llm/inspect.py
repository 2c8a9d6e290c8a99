"""What a library would hold, without a machine to run it: `python -m tools.convert.llm.inspect FOLDER`.

FOLDER is a Hugging Face folder, of which only config.json is read. For a GPU each kernel's work-group and local
memory is listed; for every target the memory that is planned. Nothing is run: speed is not among the figures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from epsilon.errors import EpsilonError
from tools.convert.llm import TARGETS, architecture
from tools.convert.llm.mlc import gpu_kernels
from tools.convert.llm.mlc.conversion import LONGEST_CHUNK
from tools.convert.llm.mlc.library import SEQUENCES, Build, Compiled, compile_library
from tools.convert.llm.mlc.targets import MALI_SHARED_BYTES, MALI_THREADS, Machine, machine

WORD_BYTES, SCALE_BYTES = 4, 4


def report(build: Build, compiled: Compiled, one: Machine) -> Iterator[str]:
    """The lines of the table."""
    if not one.is_cpu:
        yield from _kernels(compiled)
        yield ""
    yield from _memory(build, compiled)


def _kernels(compiled: Compiled) -> Iterator[str]:
    found = gpu_kernels.kernels(compiled.executable, compiled.planned)
    yield f"{'kernel':52} {'group':>12} {'items':>6} {'local bytes':>12}"
    for kernel in found:
        group = "x".join(map(str, kernel.group))
        yield f"{kernel.name:52} {group:>12} {kernel.items:6} {kernel.local_bytes:12}"
    items, local = max(one.items for one in found), max(one.local_bytes for one in found)
    yield f"{len(found)} kernels; largest group {items} of {MALI_THREADS} items"
    yield f"most local memory {local} of {MALI_SHARED_BYTES} bytes"


def _memory(build: Build, compiled: Compiled) -> Iterator[str]:
    yield f"{'function':32} {'planned bytes':>14}"
    for name, size in compiled.metadata["memory_usage"].items():
        yield f"{name:32} {size:14}"
    shape = build.shape
    token = shape.num_hidden_layers * 2 * shape.num_key_value_heads * shape.head_dim * SCALE_BYTES
    whole = SEQUENCES * build.context * token
    yield f"cache: {token} bytes a token, {whole / 1e6:.1f} MB for {SEQUENCES} sequences of {build.context}"
    weights = sum(_bytes(one["shape"]) for one in compiled.metadata["params"])
    yield f"weights: {weights / 1e6:.1f} MB"


def _bytes(sizes: list[int]) -> int:
    """Words, scales and norms all have elements of 4 bytes."""
    count = WORD_BYTES
    for size in sizes:
        count *= size
    return count


def main(arguments: list[str] | None = None) -> int:
    """Compiles in memory and prints; 0, or 2 after one message."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.llm.inspect", description=__doc__)
    parser.add_argument("folder", type=Path, help="a Hugging Face folder; its config.json is enough")
    parser.add_argument("--target", choices=TARGETS, default="opencl-mali", help="(default: opencl-mali)")
    parser.add_argument("--context", type=int, default=0, metavar="TOKENS", help="positions")
    given = parser.parse_args(arguments)
    try:
        shape = architecture.read(given.folder)
        positions = given.context or shape.longest_context
        build = Build(shape, positions, min(LONGEST_CHUNK, positions))
        one = machine(given.target)
        for line in report(build, compile_library(build, one), one):
            print(line)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
