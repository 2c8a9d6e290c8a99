"""Turns a Hugging Face Whisper or distil-whisper folder into a recogniser's model folder: `convert`.

Usage from the command line: `python -m tools.convert.asr --help`. Importing this module needs neither torch
nor transformers; `convert` does (the extra `convert`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from epsilon.config.models import File
from epsilon.errors import ModelError

INSTALL = "`make convert` installs what it needs"


@dataclass(frozen=True)
class Options:
    """How to convert."""

    precision: Literal["int8", "float32"] = "int8"  # of the weights of matrix products
    openvino: bool = False  # also encoder.xml and decoder.xml with int8 weights for the runtime openvino
    language: str = "en"  # of a checkpoint that knows several; two letters
    task: Literal["transcribe", "translate"] = "transcribe"
    calibration: Path | None = None  # folder of WAVs of speech; None: sentences said by flite or espeak-ng
    # Lengths that the encoder may be run at: its cost is linear in them, and on a CPU any will do.
    contexts_s: tuple[float, ...] = (2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 10, 12, 14, 16)
    min_context_s: int | None = None  # None: measured on the calibration sound
    licence: str = "unknown"  # of the checkpoint, for the manifest
    source: str = ""  # where the checkpoint comes from; "": the folder's name


@dataclass(frozen=True)
class Check:
    """One numeric comparison: what was compared, what came out, what it must be, and whether it is."""

    name: str
    found: str
    wanted: str
    passed: bool


@dataclass(frozen=True)
class Converted:
    """A finished model folder and what the manifest must know about it."""

    folder: Path
    files: dict[str, File]  # every file but the card, with size and sha256, as epsilon.config.models wants
    licence: str
    source: str
    made_by: str
    checks: tuple[Check, ...] = ()
    random: bool = False  # the weights are random: good for timing, recognises nothing
    kind: str = field(default="asr", init=False)
    engine: str = field(default="whisper", init=False)


def convert(
    folder: Path, out: Path, options: Options | None = None, tell: Callable[[str], None] = print
) -> Converted:
    """The checkpoint in `folder` as a model folder `out`.

    `out` is written beside its place and renamed when every check has passed, so it is whole or not there; a
    folder that is there already is replaced. `tell` gets a line for each step. ModelError when the folder is
    no Whisper, a check fails (its lines were told before), or a package is missing.
    """
    try:
        from tools.convert.asr.conversion import run
    except ModuleNotFoundError as error:
        raise ModelError(f"converting needs the package {error.name}", hint=INSTALL) from error
    return run(folder, out, options or Options(), tell)
