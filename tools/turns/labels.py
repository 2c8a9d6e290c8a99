"""The label file of a folder of turns: `turns.yaml`, one line a turn. Only `file` and `end_s` must be there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

FILE = "turns.yaml"


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
    """The labels of a folder, whoever recorded it; keys not known here are left out."""
    known = {field.name for field in fields(Label)}
    rows = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    labels = []
    for row in rows:
        given = {key: value for key, value in row.items() if key in known}
        given["pauses"] = tuple((float(a), float(b)) for a, b in given.get("pauses", ()))
        labels.append(Label(**given))
    return labels
