"""Fuzzing: whatever bytes a file holds, reading it gives a value or an EpsilonError, and nothing else.

    python -m tools.fuzz TARGET [--minutes 10]

A target is a module of tools/fuzz/targets. With the package atheris (3.0.0 was tried) it is guided by the branches
that an input takes; without, edits are drawn at random. What broke it is written to tests/fuzz/TARGET, where
`make test` tries it ever after.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from epsilon.errors import EpsilonError

CORPUS = Path(__file__).parent.parent.parent / "tests" / "fuzz"


class Target(Protocol):
    """A module of tools/fuzz/targets."""

    WORDS: Sequence[bytes]  # pieces that mean something in such a file

    def seeds(self) -> list[bytes]:
        """Good files, whose edits are tried."""

    def read(self, data: bytes, folder: Path) -> object:
        """Read such a file, through the folder, as the program would; any EpsilonError is an answer."""


def names() -> list[str]:
    """Every target."""
    folder = Path(__file__).parent / "targets"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def find(name: str) -> Target:
    """The target of that name."""
    return cast(Target, importlib.import_module(f"tools.fuzz.targets.{name}"))


def kept(name: str) -> list[Path]:
    """What once broke the target."""
    return sorted((CORPUS / name).glob("*"))


def attempt(target: Target, data: bytes, folder: Path) -> str:
    """Read it: '' where it was good, else what was said, which is never nothing and never several pages."""
    try:
        target.read(data, folder)
    except EpsilonError as mistake:
        said = str(mistake)
        if not said.strip():
            raise AssertionError("an error that says nothing") from mistake
        return said
    return ""
