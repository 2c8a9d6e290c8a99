"""Remembers one fact after the other and says which are promised to last: python writer.py FOLDER FACTS HOW [DISK]

What is promised is written to standard output, or, with DISK, into the last block of that disk past all caches. HOW is
`good`, or a way of writing that must be found out.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from epsilon import state
from epsilon.state import State

REWRITE_BYTES = 2048  # often: that is when most can go wrong
NAMES_EVERY = 3
BLOCK = 4096


def fact(number: int) -> list[str]:
    """What is remembered under `names`."""
    return [f"fact {number}", "x" * (number * 37 % 300)]


def no_flush() -> None:
    """Trusts the disk."""
    os.fsync = lambda descriptor: None  # type: ignore[assignment]


def no_folder_flush() -> None:
    """Trusts that a new name is kept with the file."""
    state.sync_folder = lambda folder: None


def in_place() -> None:
    """Writes the file anew where it stands."""
    State._rewrite = _rewrite_in_place  # type: ignore[method-assign]


def _rewrite_in_place(self: State, folder: Path) -> None:
    self._let_go()
    lines = b"".join(self._lines.values())
    self._descriptor = os.open(folder / state.JOURNAL, state.APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
    state._write(self._descriptor, lines)
    os.fsync(self._descriptor)
    self._size = len(lines)


HOW: dict[str, Callable[[], None]] = {
    "good": lambda: None,
    "no flush": no_flush,
    "no folder flush": no_folder_flush,
    "in place": in_place,
}


def promise_aloud(number: int) -> None:
    """For whoever reads the trace of this process."""
    os.write(1, b"promised %d\n" % number)


def promise_on(disk: str) -> Callable[[int], None]:
    """A number in the last block of a disk, which is there when the call returns."""
    descriptor = os.open(disk, os.O_WRONLY | os.O_DIRECT | os.O_SYNC)
    size, block = os.lseek(descriptor, 0, os.SEEK_END), mmap.mmap(-1, BLOCK)

    def promise(number: int) -> None:
        block[:16] = b"%016d" % number
        os.pwrite(descriptor, block, size - BLOCK)

    return promise


def write(folder: Path, facts: int, promise: Callable[[int], None]) -> None:
    """Remember so many facts, opening the state anew now and then as a toy does that is switched on."""
    kept = State.open(folder, rewrite_bytes=REWRITE_BYTES)
    for number in range(1, facts + 1):
        if number % 25 == 0:
            kept.close()
            kept = State.open(folder, rewrite_bytes=REWRITE_BYTES)
        kept.set("volume", number)
        if number % NAMES_EVERY == 0:
            kept.set("names", fact(number))
        if kept.save():
            promise(number)


def complaint(folder: Path, promised: int) -> str:
    """What of a folder after a cut is not as promised; nothing when all is there."""
    with closing(State.open(folder)) as found:
        volume, names = found.get("volume", 0), found.get("names", fact(0))
        number = int(names[0].removeprefix("fact "))
        if volume < promised or number < promised // NAMES_EVERY * NAMES_EVERY:
            return f"lost, {promised} was promised: volume is {volume}, names are of {number}"
        if names != fact(number):
            return f"spoilt, {names}"
        found.set("volume", -1)  # and it goes on from there
        if not found.save():
            return "nothing can be remembered any more"
    with closing(State.open(folder)) as again:
        kept = again.get("volume") == -1 and again.get("names", fact(0)) == names
    return "" if kept else "what was remembered behind the cut is lost"


if __name__ == "__main__":
    where, count, how, *disks = sys.argv[1:]
    HOW[how]()
    write(Path(where), int(count), promise_on(disks[0]) if disks else promise_aloud)
