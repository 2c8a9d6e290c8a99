"""How many positions a converted model gets."""

from __future__ import annotations

from epsilon.errors import ModelError
from tools.convert.llm import Options, Say
from tools.convert.llm.checkpoint import Checkpoint


def context(source: Checkpoint, options: Options, say: Say) -> int:
    """As many as were asked for, or as the checkpoint allows; ModelError when it does not allow so many."""
    shape, longest = source.shape, source.shape.longest_context
    wanted = options.context or longest
    if wanted > longest:
        hint = f"--context {longest} at most: its sliding window or its positions end there"
        raise ModelError(f"has no context of {wanted} tokens", str(source.folder / "config.json"), hint)
    if shape.sliding_window and wanted == longest < shape.max_position_embeddings:
        say(f"context limited to the sliding window of {longest} tokens, within which it hides nothing")
    return wanted
