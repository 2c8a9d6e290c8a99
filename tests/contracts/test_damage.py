"""Every file of every model: cut short or emptied, it is a ModelError that names the file, whatever engine reads it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from epsilon.config.models import Model
from epsilon.errors import ModelError
from tests.found import load
from tests.models.tiny import TINY

CASES = [(kind, engine) for kind, makers in TINY.items() for engine in makers]


@pytest.mark.parametrize(("kind", "engine"), CASES)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_damaged_files_are_named(kind: str, engine: str, share: float, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    model: Model = TINY[kind][engine](whole)
    load(model)
    unused = "model.onnx" if kind == "tts" else ""  # a voice that streams does not read it
    for path in sorted(whole.iterdir()):
        if path.name == unused:
            continue
        folder = tmp_path / f"without {path.name}"
        shutil.copytree(whole, folder)
        content = path.read_bytes()
        (folder / path.name).write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ModelError, match=path.name):
            load(replace(model, folder=folder))
