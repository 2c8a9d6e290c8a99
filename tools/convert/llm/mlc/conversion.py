"""From a checkpoint to a folder in MLC's form with a library for each machine asked for."""

from __future__ import annotations

from pathlib import Path

import tvm

from tools.convert.llm import Options, Say
from tools.convert.llm.checkpoint import Checkpoint
from tools.convert.llm.context import context
from tools.convert.llm.mlc import directory
from tools.convert.llm.mlc.library import Build, compile_library
from tools.convert.llm.mlc.targets import machine

LONGEST_CHUNK = 256


def run(source: Checkpoint, out: Path, options: Options, say: Say) -> dict[str, str]:
    """Fills `out`; returns what the manifest row says besides files and names."""
    # Before any work, so that a missing linker is said at once.
    machines = [machine(name) for name in options.targets]
    build = plan(source, options, say)
    say(f"int4 weights ({directory.CACHE})")
    directory.write(source, build, out)
    for one in machines:
        say(f"compiling for {one.name} ({one.target.kind.name}, TVM {tvm.__version__})")
        compile_library(build, one).export(out / one.library, one)
    return {"tvm": str(tvm.__version__)}


def plan(source: Checkpoint, options: Options, say: Say) -> Build:
    """Context and chunk that the checkpoint allows."""
    positions = context(source, options, say)
    return Build(source.shape, positions, min(LONGEST_CHUNK, positions), options.activations)
