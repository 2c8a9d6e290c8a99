"""Fetches a public recogniser, turns it into a model folder and registers it: `epsilon models pull`.

Nothing that the toy runs imports this package: fetching opens sockets, and the toy never does.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from epsilon.config import folders
from epsilon.config.ears import RANDOM
from epsilon.config.models import PULLED, Model, read_manifest, register
from epsilon.errors import ModelError
from tools.convert.asr import INSTALL, Options, convert
from tools.pull.names import repository_of

NEEDED = ("torch", "transformers", "onnx", "safetensors")
Tell = Callable[[str], None]


def pull(wanted: str, name: str | None, tell: Tell, options: Options | None = None) -> Model:
    """The model that `wanted` means: a known name, `owner/name` on the hub, or a folder on disk.

    What was fetched stays in models/pulled/.fetched until the model is finished, so that a second try goes on
    where the first was interrupted. ModelError says what is wrong; then no model was added or changed.
    """
    folder = Path(wanted).expanduser()
    is_folder = folder.is_dir()
    if not is_folder and (wanted.startswith((".", "/", "~")) or wanted.count("/") > 1):
        raise ModelError("is no folder", where=wanted)
    repository = "" if is_folder else repository_of(wanted)
    own = name or (folder.resolve().name if is_folder else repository.partition("/")[2])
    _demand_good_name(own)
    _demand_packages()
    options = options or Options()
    with _disk_errors():
        if is_folder:
            return _add(folder, own, replace(options, source=options.source or str(folder.resolve())), tell)
        return _fetch_and_add(repository, own, options, tell)


def _fetch_and_add(repository: str, own: str, options: Options, tell: Tell) -> Model:
    from tools.pull.hub import fetch

    place = _pulled_folder() / ".fetched" / repository.replace("/", "--")
    fetched = fetch(repository, place, tell)
    source = f"huggingface.co/{repository} at {fetched.revision}"
    model = _add(place, own, replace(options, licence=fetched.licence, source=source), tell)
    shutil.rmtree(place)
    return model


def _add(folder: Path, own: str, options: Options, tell: Tell) -> Model:
    """Converts a checkpoint's folder and writes the model's row."""
    made = convert(folder, _pulled_folder() / own, options, tell)
    source = f"{RANDOM} weights, {made.source}" if made.random else made.source
    named = f"{PULLED}/{own}"
    model = Model(named, made.folder, made.kind, made.engine, made.licence, source, made.made_by, made.files)
    register(model)
    return model


def _pulled_folder() -> Path:
    place = folders.root() / "models" / PULLED
    place.mkdir(parents=True, exist_ok=True)
    return place


def _demand_packages() -> None:
    missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        raise ModelError(f"turning a checkpoint into a model needs {', '.join(missing)}", hint=INSTALL)


def _demand_good_name(own: str) -> None:
    if not own or not all(letter.isalnum() or letter in "._-" for letter in own) or own[0] in ".-":
        raise ModelError(f"'{own}' cannot be a model's name", hint="letters, digits, '.', '_' and '-'")
    taken = read_manifest().get(f"{PULLED}/{own}")
    if taken is not None:
        hint = f"--name OTHER, or first: epsilon models remove {taken.name}"
        raise ModelError(f"there is a model '{taken.name}' already", hint=hint)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """A full or read-only disk is something people can put right."""
    try:
        yield
    except OSError as error:
        where = folders.shown(Path(error.filename)) if error.filename else ""
        raise ModelError(f"cannot be written: {error.strerror or error}", where=where) from error
