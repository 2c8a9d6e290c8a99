"""The models there are: rows of models/manifest.yaml, and whether the files on disk are what they say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from epsilon.config import folders
from epsilon.config.document import Problems, Table, read
from epsilon.config.fields import read_table, setting
from epsilon.errors import ModelError, nearest

KINDS = ("asr", "llm", "tts", "vad")
HEADER = """\
# The models there are. `files` is measured by `epsilon models manifest --write`, the rest is written by hand.
"""


@dataclass(frozen=True)
class File:
    """A file of a model as it must be."""

    sha256: str = setting("checksum in hexadecimal")
    size: int = setting("length in bytes", low=1)


@dataclass(frozen=True)
class Model:
    """A model: a folder of files that an engine knows how to load."""

    name: str
    folder: Path
    kind: str = setting("what it does", choices=KINDS)
    engine: str = setting("the module of epsilon/engines/<kind> that loads it")
    licence: str = setting("under what terms it may be passed on")
    source: str = setting("where it comes from")
    made_by: str = setting("what makes it anew")
    files: dict[str, File] = setting("every file with size and checksum")

    @property
    def sha256(self) -> str:
        """One checksum for the whole model: over its files' checksums in the manifest's order."""
        return hashlib.sha256("".join(file.sha256 for file in self.files.values()).encode()).hexdigest()


def manifest_path() -> Path:
    """Where the manifest lies."""
    return folders.root() / "models" / "manifest.yaml"


def read_manifest() -> dict[str, Model]:
    """Every model by name. ConfigError lists everything wrong with the manifest; no model file is touched."""
    problems = Problems()
    table = read(manifest_path(), problems)
    models = {}
    for name, row in table.items.items():
        if isinstance(row, Table):
            given = {"name": name, "folder": folders.root() / "models" / name}
            models[name] = read_table(Model, row, problems, given)
        else:
            problems.add("a model's row holds `key: value` entries", row.where)
    problems.raise_if_any()
    return models


def find_model(name: str) -> Model:
    """The model of that name. ModelError when there is no such row or one of its files is not there."""
    models = read_manifest()
    if name not in models:
        raise ModelError(f"no model '{name}'{nearest(name, models)}", folders.shown(manifest_path()))
    model = models[name]
    _demand_files(model)
    for file in model.files:
        if not (model.folder / file).is_file():
            raise ModelError("the file is missing", folders.shown(model.folder / file), f"model {name}")
    return model


def verify(model: Model) -> None:
    """ModelError naming file, expected and found when a file is missing, cut short or not the one meant."""
    _demand_files(model)
    for name, wanted in model.files.items():
        path = model.folder / name
        where = folders.shown(path)
        if not path.is_file():
            raise ModelError("the file is missing", where, f"model {model.name}")
        found = measure(path)
        if found.size != wanted.size:
            raise ModelError(
                f"expected {wanted.size} bytes, found {found.size}", where, "damaged or unfinished"
            )
        if found.sha256 != wanted.sha256:
            raise ModelError(
                f"expected sha256 {wanted.sha256}, found {found.sha256}", where, "not the file meant"
            )


def _demand_files(model: Model) -> None:
    if not model.files:
        raise ModelError(f"model '{model.name}' lists no files", folders.shown(manifest_path()))


def measure(path: Path) -> File:
    """Size and checksum of a file as it is."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(digest, path.stat().st_size)


def remeasured() -> dict[str, Model]:
    """The manifest's models with the files in their folders now, less the cards, which are for people."""
    models = {}
    for name, model in read_manifest().items():
        if not model.folder.is_dir():
            raise ModelError("the model's folder is missing", folders.shown(model.folder))
        paths = sorted(path for path in model.folder.iterdir() if path.is_file() and path.suffix != ".md")
        models[name] = replace(model, files={path.name: measure(path) for path in paths})
    return models


def render(models: dict[str, Model]) -> str:
    """The manifest's text."""
    parts = [HEADER]
    for name, model in models.items():
        parts.append(f"{name}:\n")
        parts += [
            f"  {key}: {getattr(model, key)}\n" for key in ("kind", "engine", "licence", "source", "made_by")
        ]
        parts.append("  files:\n")
        parts += [
            f'    {file}: {{size: {wanted.size}, sha256: "{wanted.sha256}"}}\n'
            for file, wanted in model.files.items()
        ]
    return "".join(parts)
