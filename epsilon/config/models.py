"""The models there are: rows of models/manifest.yaml, and whether the files on disk are what they say."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from epsilon.config import folders
from epsilon.config.document import Problems, Table, read
from epsilon.config.fields import read_table, setting
from epsilon.errors import ModelError, nearest

KINDS = ("asr", "llm", "tts", "vad", "endpoint")
PULLED = "pulled"  # the folder below models/ that what people fetched is in, with a manifest of its own
HEADER = """\
# The models there are. `files` is measured by `epsilon models manifest --write`, the rest is written by hand.
"""
PULLED_HEADER = "# What was fetched on this machine; written by `epsilon models pull` and `remove`.\n"


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
    tvm: str = setting("the version of TVM that compiled its library, for the runtime mlc", default="")

    @property
    def sha256(self) -> str:
        """One checksum for the whole model: over its files' checksums in the manifest's order."""
        return hashlib.sha256("".join(file.sha256 for file in self.files.values()).encode()).hexdigest()


def manifest_path() -> Path:
    """Where the manifest lies."""
    return folders.root() / "models" / "manifest.yaml"


def pulled_path() -> Path:
    """Where the manifest of what was fetched lies; it need not be there."""
    return manifest_path().parent / PULLED / "manifest.yaml"


def read_manifest() -> dict[str, Model]:
    """Every model by name, those that ship before those that were fetched. ConfigError lists everything wrong."""
    return read_shipped() | read_pulled()


def read_shipped() -> dict[str, Model]:
    """The rows of models/manifest.yaml; no model file is touched."""
    return _rows(manifest_path())


def read_pulled() -> dict[str, Model]:
    """The rows of models/pulled/manifest.yaml, none where nothing was fetched."""
    return _rows(pulled_path()) if pulled_path().is_file() else {}


def register(model: Model) -> None:
    """Add the row of a fetched model."""
    _write_pulled(read_pulled() | {model.name: model})


def forget(model: Model) -> None:
    """Take out the row of a fetched model, then delete its folder."""
    _write_pulled({name: other for name, other in read_pulled().items() if name != model.name})
    shutil.rmtree(model.folder, ignore_errors=True)


def find_row(name: str, models: dict[str, Model]) -> Model:
    """The model of that full name, or the one whose name ends so after its slash; ModelError names the nearest."""
    for full, model in models.items():
        if name in (full, full.partition("/")[2]):
            return model
    raise ModelError(f"no model '{name}'{nearest(name, models)}")


def _write_pulled(models: dict[str, Model]) -> None:
    """Whole or not at all."""
    part = pulled_path().with_suffix(".part")
    part.write_text(render(models, PULLED_HEADER) if models else "{}\n", encoding="utf-8")
    part.replace(pulled_path())


def _rows(path: Path) -> dict[str, Model]:
    """Read anew when the file has changed: a start asks for its models a dozen times."""
    content = path.read_bytes() if path.is_file() else b""
    return dict(_parsed(path, content))


@functools.lru_cache(maxsize=4)
def _parsed(path: Path, content: bytes) -> dict[str, Model]:
    problems = Problems()
    table = read(path, problems)
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
    """The shipped models with the files in their folders now, less the cards, which are for people."""
    models = {}
    for name, model in read_shipped().items():
        if not model.folder.is_dir():
            raise ModelError("the model's folder is missing", folders.shown(model.folder))
        paths = sorted(path for path in model.folder.iterdir() if path.is_file() and path.suffix != ".md")
        models[name] = replace(model, files={path.name: measure(path) for path in paths})
    return models


def render(models: dict[str, Model], header: str = HEADER) -> str:
    """A manifest's text."""
    parts = [header]
    for name, model in models.items():
        parts.append(f"{name}:\n")
        parts += [
            f"  {key}: {_scalar(getattr(model, key))}\n"
            for key in ("kind", "engine", "licence", "source", "made_by", "tvm")
            if key != "tvm" or model.tvm
        ]
        parts.append("  files:\n")
        parts += [
            f'    {file}: {{size: {wanted.size}, sha256: "{wanted.sha256}"}}\n'
            for file, wanted in model.files.items()
        ]
    return "".join(parts)


def _scalar(text: str) -> str:
    """As YAML writes it: quoted where it would be read as anything but this text."""
    plain = text.strip() == text and text and text[0].isalnum() and ": " not in text and " #" not in text
    return text if plain else json.dumps(text)
