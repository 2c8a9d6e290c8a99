"""Takes: any of the text files in one, and the sound."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.runner import Emulation
from epsilon.takes.checks import LOCKSTEP
from epsilon.takes.folder import HEADER, INPUT, MESSAGES, PLAYED, read_take

FILES = (HEADER, MESSAGES, INPUT, PLAYED)  # the first byte says which the rest is
WORDS = (
    b'"ring"',
    b'"at"',
    b'"n": -1',
    b'"stage": ""',
    b"null",
    b"[]",
    b"{}",
    b"1e999",
    b"\n",
    b"RIFF",
    b"data",
)


@cache
def good() -> dict[str, bytes]:
    """The files of a take in which nobody speaks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "take"
        silence = np.zeros(4_000, np.float32)
        Emulation(load_board("host"), load_character("odette"), [silence], LOCKSTEP, folder).run(
            lambda news: None
        )
        return {file: (folder / file).read_bytes() for file in FILES}


def seeds() -> list[bytes]:
    """Each of them."""
    return [bytes([at]) + good()[name] for at, name in enumerate(FILES)]


def read(data: bytes, folder: Path) -> object:
    """As `epsilon replay` before it plays."""
    take = folder / "take"
    shutil.rmtree(take, ignore_errors=True)
    take.mkdir()
    for name, content in good().items():
        (take / name).write_bytes(content)
    if data:
        (take / FILES[data[0] % len(FILES)]).write_bytes(data[1:])
    return read_take(take)
