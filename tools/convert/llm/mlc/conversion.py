"""From a checkpoint to a folder in MLC's form with a library for each machine asked for."""

from __future__ import annotations

from pathlib import Path

import tvm

from epsilon.errors import ModelError
from tools.convert.llm import Options, Say
from tools.convert.llm.checkpoint import Checkpoint
from tools.convert.llm.mlc import directory
from tools.convert.llm.mlc.library import Build, compile_library
from tools.convert.llm.mlc.targets import machine

LONGEST_CHUNK = 256


def run(source: Checkpoint, out: Path, options: Options, say: Say) -> dict[str, str]:
    """Fills `out`; returns what the manifest row says besides files and names."""
    machines = [
        machine(name) for name in options.targets
    ]  # before any work: a missing linker is said at once
    build = plan(source, options, say)
    say(f"int4 weights ({directory.CACHE})")
    directory.write(source, build, out)
    for one in machines:
        say(f"compiling for {one.name} ({one.target.kind.name}, TVM {tvm.__version__})")
        compile_library(build, one).export(out / one.library, one)
    return {"tvm": str(tvm.__version__)}


def plan(source: Checkpoint, options: Options, say: Say) -> Build:
    """Context and chunk that the checkpoint allows."""
    shape, longest = source.shape, source.shape.longest_context
    context = options.context or longest
    if context > longest:
        hint = f"--context {longest} at most: its sliding window or its positions end there"
        raise ModelError(f"has no context of {context} tokens", str(source.folder / "config.json"), hint)
    if shape.sliding_window and context == longest < shape.max_position_embeddings:
        say(f"context limited to the sliding window of {longest} tokens, within which it hides nothing")
    return Build(shape, context, min(LONGEST_CHUNK, context), options.activations)
