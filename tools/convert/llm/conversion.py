"""The steps that both forms share: read, write beside the place, add the chat, measure, rename."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from pathlib import Path

from epsilon.config.models import Model, measure
from epsilon.errors import ModelError
from tools.convert.llm import Options, Say, checkpoint
from tools.convert.llm.checkpoint import CHAT, Checkpoint

PACKAGES = {"tvm": "apache-tvm", "onnx": "onnx"}


def run(folder: Path, out: Path, options: Options, say: Say) -> Model:
    """See tools.convert.llm.convert."""
    say(f"reading {folder}")
    source = checkpoint.load(folder)
    chat = _chat(source, options, say)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        further = _fill(source, made, options, say)
        if chat:
            shutil.copyfile(chat, made / CHAT)
        if out.exists():
            out.rename(Path(scratch, "before"))
        made.rename(out)
    return _row(folder, out, options, further)


def _fill(source: Checkpoint, out: Path, options: Options, say: Say) -> dict[str, str]:
    """By the module of the form; what it needs besides is only known to be there when it is imported."""
    try:
        form = importlib.import_module(f"tools.convert.llm.{options.form}.conversion")
    except ModuleNotFoundError as missing:
        name = str(missing.name).partition(".")[0]
        if name not in PACKAGES:
            raise
        hint = f"pip install {PACKAGES[name]}"
        raise ModelError(
            f"converting to {options.form} needs the package {PACKAGES[name]}", hint=hint
        ) from missing
    further: dict[str, str] = form.run(source, out, options, say)
    return further


def _chat(source: Checkpoint, options: Options, say: Say) -> Path | None:
    path = options.chat or source.folder / CHAT
    if path.is_file():
        return path
    if options.chat:
        raise ModelError("there is no such file", where=str(path))
    say(
        f"no {CHAT} in the folder and none given by --chat: one must be put into the model folder to talk to it"
    )
    return None


def _row(folder: Path, out: Path, options: Options, further: dict[str, str]) -> Model:
    files = {path.name: measure(path) for path in sorted(out.iterdir()) if path.suffix != ".md"}
    made_by = f"python -m tools.convert.llm {folder.name} --to {options.form}"
    source = options.source or folder.name
    return Model(out.name, out, "llm", "mistral", options.licence, source, made_by, files, **further)
