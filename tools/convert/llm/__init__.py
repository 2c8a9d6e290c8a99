"""Turns a Hugging Face Mistral or Llama folder into a model folder of the mind: `convert`.

Usage from the command line: `python -m tools.convert.llm --help`. Importing this module needs no TVM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from epsilon.config.models import Model

Say = Callable[[str], None]
Form = Literal["mlc", "onnx"]
Activations = Literal["fp32", "int8"]

TARGETS = ("host", "aarch64", "opencl-mali")


@dataclass(frozen=True)
class Options:
    """How to convert."""

    form: Form = "mlc"
    targets: tuple[str, ...] = ("host",)  # of the form mlc: the machines to compile a library for
    context: int = 0  # positions; 0: as many as the checkpoint has
    activations: Activations = "int8"  # what is multiplied with the int4 weights
    chat: Path | None = None  # a chat.yaml; None: the one in the checkpoint's folder, if any
    licence: str = "unknown"  # of the checkpoint, for the manifest
    source: str = ""  # where the checkpoint comes from; "": the folder's name


def convert(folder: Path, out: Path, options: Options | None = None, say: Say = print) -> Model:
    """The checkpoint in `folder` as a model folder `out`, and its row for the manifest.

    `out` is written beside its place and renamed when done, so it is whole or not there; a folder that is there
    already is replaced. ModelError when the checkpoint cannot be converted or something needed is missing.
    """
    from tools.convert.llm.conversion import run

    return run(folder, out, options or Options(), say)
