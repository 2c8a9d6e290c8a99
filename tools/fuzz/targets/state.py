"""What the toy remembers on its disk."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from epsilon.state import JOURNAL, VOLUME, State

WORDS = (b"\n", b"[", b'"volume"', b"NaN", b"Infinity", b"null")


def seeds() -> list[bytes]:
    """A journal of a few values."""
    with tempfile.TemporaryDirectory() as name:
        state = State.open(Path(name))
        for value in range(4):
            state.set(VOLUME, value)
            state.set("names", {"user": "Mira"})
            state.save()
        return [(Path(name) / JOURNAL).read_bytes()]


def read(data: bytes, folder: Path) -> object:
    """A toy starts with whatever is there, and what it keeps from now on is kept."""
    place = folder / "state"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / JOURNAL).write_bytes(data)
    state = State.open(place)
    state.number(VOLUME, 5, 0, 10)
    state.set(VOLUME, 7)
    assert state.save()
    assert State.open(place).get(VOLUME, None) == 7
    return state
