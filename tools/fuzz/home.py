"""A home for the toy's files in which one of them is whatever the fuzzer wants."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from epsilon.config import folders

FOLDERS = ("boards", "characters", "models")


@contextlib.contextmanager
def home_with(folder: Path, place: str, data: bytes) -> Iterator[Path]:
    """$EPSILON_HOME is the folder: all that ships, and `data` at that place instead of what is there."""
    path = folder / place
    if not folder.joinpath("boards").exists():
        _furnish(folder, path)
    path.write_bytes(data)
    before = os.environ.get("EPSILON_HOME")
    os.environ["EPSILON_HOME"] = str(folder)
    try:
        yield path
    finally:
        if before is None:
            del os.environ["EPSILON_HOME"]
        else:
            os.environ["EPSILON_HOME"] = before


def _furnish(folder: Path, path: Path) -> None:
    """Links to what ships, but for the folder in which the file lies: its other files are linked one by one."""
    shipped = folders.root()
    for name in FOLDERS:
        if path.is_relative_to(folder / name):
            (folder / name).mkdir()
            for one in (shipped / name).iterdir():
                if not path.is_relative_to(folder / name / one.name):
                    (folder / name / one.name).symlink_to(one)
        else:
            (folder / name).symlink_to(shipped / name)
    path.parent.mkdir(parents=True, exist_ok=True)
