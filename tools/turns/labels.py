"""The label file of a folder of turns: `turns.yaml`, one line a turn. Only `file` and `end_s` must be there."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from epsilon.errors import ConfigError, nearest

FILE = "turns.yaml"
NUMBERS = ("end_s", "start_s", "snr_db")


@dataclass(frozen=True)
class Label:
    """What is in a recording of one turn; `end_s` is the last sample of speech."""

    file: str
    end_s: float
    start_s: float = 0.0
    text: str = ""
    pauses: tuple[tuple[float, float], ...] = ()
    voice: str = ""
    noise: str = ""
    snr_db: float = 0.0
    kind: str = ""


def write(folder: Path, labels: list[Label], comment: str) -> None:
    """Write the folder's label file."""
    lines = [f"# {comment}", *(f"- {json.dumps(asdict(label))}" for label in labels)]
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(folder: Path) -> list[Label]:
    """The labels of a folder, whoever recorded it; keys not known here are left out. ConfigError names the row."""
    path = folder / FILE
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read: {error}", str(path), "a folder of turns has one WAV a turn and this file"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"is no YAML: {getattr(error, 'problem', error)}", where) from error
    if not isinstance(rows, list):
        raise ConfigError("expected a list, one entry a turn", str(path))
    return [_label(row, f"{path}: entry {number}") for number, row in enumerate(rows, 1)]


def _label(row: object, where: str) -> Label:
    """One entry, checked."""
    if not isinstance(row, dict):
        raise ConfigError(f"expected keys and values, found {row!r}", where)
    known = {field.name for field in fields(Label)}
    for key in ("file", "end_s"):
        if key not in row:
            raise ConfigError(f"key '{key}' is missing{_meant(row, known)}", where)
    given = {key: _value(key, value, where) for key, value in row.items() if key in known}
    return Label(**given)


def _meant(row: dict[object, object], known: set[str]) -> str:
    """What the entry's keys that nobody knows may have been meant to be."""
    unknown = [str(key) for key in row if key not in known]
    return "".join(f"; no key '{key}' here{nearest(key, known)}" for key in unknown)


def _value(key: str, value: object, where: str) -> Any:
    """A key's value as its type."""
    if key == "pauses":
        if not isinstance(value, list) or not all(_is_span(span) for span in value):
            raise ConfigError(
                f"'pauses' should be pairs of seconds, [[from, to], ...], found {value!r}", where
            )
        return tuple((float(start_s), float(end_s)) for start_s, end_s in value)
    if key in NUMBERS:
        if not _is_number(value):
            raise ConfigError(f"'{key}' should be a number, found {value!r}", where)
        return value
    if not isinstance(value, str):
        raise ConfigError(f"'{key}' should be text, found {value!r}", where, "quote it")
    return value


def _is_span(span: object) -> bool:
    return isinstance(span, list) and len(span) == 2 and all(map(_is_number, span))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
