"""A folder in MLC's form of a tiny random network, compiled here; made without torch."""

from __future__ import annotations

from pathlib import Path

from epsilon.config.models import Model
from tools.convert.llm import Activations, Options, convert
from tools.convert.llm.random_checkpoint import Sizes, write

SIZES = Sizes(
    layers=2, width=64, inner=96, heads=4, kv_heads=2, head_dim=32, vocabulary=96, context=96, tied=True
)


def mind(
    folder: Path, seed: int = 4, activations: Activations = "fp32", targets: tuple[str, ...] = ("host",)
) -> Model:
    """A speaker of nonsense in `folder`."""
    checkpoint = folder.parent / f"{folder.name}-checkpoint"
    write(checkpoint, SIZES, seed, scale=0.3)
    return convert(
        checkpoint, folder, Options(activations=activations, targets=targets), say=lambda line: None
    )
