"""Files of others that Debian has not: bootloaders, kernels and accelerators' libraries, each with its checksum."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from epsilon.config import folders
from epsilon.config.board import Board
from epsilon.config.machine import Input
from tools.image.steps import Steps
from tools.image.wheels import sha256, unpack


@dataclass(frozen=True)
class Found:
    """An input that is there and what it is said to be."""

    name: str
    given: Input
    path: Path


def sort_out(board: Board) -> tuple[list[Found], list[str]]:
    """The inputs that are there, and for each that is not, or is another file, what to put where."""
    found, wanting = [], []
    for name, given in board.image.inputs.items():
        path = folders.input_path(board.name, given.file)
        if not path.is_file():
            sum_ = f", sha256 {given.sha256}" if given.sha256 else ""
            wanting.append(f"{name}: put it at {path}{sum_}; it is {given.source}")
        elif given.sha256 is None:
            where = board.place("image", "inputs", name)
            wanting.append(f"{name}: {path} has sha256 {sha256(path)}; write it down as `sha256:` at {where}")
        elif (real := sha256(path)) != given.sha256.lower():
            wanting.append(f"{name}: {path} is another file: sha256 {real}, wanted {given.sha256}")
        else:
            found.append(Found(name, given, path))
    return found, wanting


def raw(inputs: list[Found]) -> list[tuple[str, Path, int]]:
    """What is written outside the partitions: its name, its file and the byte it begins at."""
    return [
        (one.name, one.path, round(one.given.at_kib * 1024)) for one in inputs if one.given.at_kib is not None
    ]


def install(
    inputs: list[Found], kernel: str | None, root: Path, site: Path, boot: Path, steps: Steps
) -> None:
    """Everything else goes where its name's end says: a wheel, a library, a Debian package, else the boot partition."""
    for one in inputs:
        if one.given.at_kib is not None or one.name == kernel:
            continue
        suffixes = one.path.suffixes
        if one.path.suffix == ".whl":
            unpack([one.path], site)
        elif one.path.suffix == ".deb":
            steps.run(["dpkg-deb", "-x", one.path, root])
        elif ".so" in suffixes:
            target = root / "usr/lib" / one.path.name
            target.write_bytes(one.path.read_bytes())
        else:
            (boot / one.path.name).write_bytes(one.path.read_bytes())
