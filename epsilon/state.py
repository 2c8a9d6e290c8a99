"""What outlives a power cut: a few values by name, in one journal of checksummed lines.

A value is kept by appending a line and flushing it to the disk; the last good line of a name counts. Now and then the
file is written anew, one line a name, beside the old one, and takes its name. So at any moment either file is whole but
for a last line that nobody was promised. Whatever the disk refuses, the values stay in memory and the toy goes on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

VOLUME, PAUSES, NAMES, PLAN = "volume", "pauses", "names", "plan"  # the names in use

JOURNAL = "state.journal"
UNFINISHED = "state.journal.new"
REWRITE_BYTES = 64 * 1024  # a longer journal is written anew
MOST_BYTES = 16 * 1024 * 1024  # of a file of that name; a longer one is none of ours
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC

log = logging.getLogger(__name__)


def state_folder() -> Path:
    """Where the toy keeps things: $EPSILON_STATE, else the user's folder for such things."""
    named = os.environ.get("EPSILON_STATE")
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(named) if named else Path(base) / "epsilon"


class State:
    """The values, and the file that keeps them. `get` and `set` are for any thread, `save` for one."""

    def __init__(
        self,
        folder: Path | None = None,
        wake: Callable[[], None] | None = None,
        rewrite_bytes: int = REWRITE_BYTES,
    ) -> None:
        self.folder = folder
        self.changed = False  # since the last `save`
        self._wake, self._rewrite_bytes = wake, rewrite_bytes
        self._values: dict[str, Any] = {}
        self._lines: dict[str, bytes] = {}  # of each value, as the journal has it
        self._unsaved: dict[str, None] = {}  # names, in the order in which they were set
        self._descriptor = -1  # of the journal; -1: it is to be written anew first
        self._size = 0
        self._refused = ""  # what the disk said last; it is told once

    @classmethod
    def open(
        cls,
        folder: Path | None,
        wake: Callable[[], None] | None = None,
        rewrite_bytes: int = REWRITE_BYTES,
    ) -> State:
        """What the folder holds, as far as it can be read; never raises. Without a folder nothing lasts.

        `wake` is called, by whatever thread, when there is something to save.
        """
        state = cls(folder, wake, rewrite_bytes)
        if folder is not None:
            state._load(folder)
        return state

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, which is to be left as it is."""
        return self._values.get(name, default)

    def number(self, name: str, default: float, low: float = -math.inf, high: float = math.inf) -> float:
        """A value that has to be a number from `low` to `high`; else the default: files grow old."""
        found = self._values.get(name)
        if isinstance(found, bool) or not isinstance(found, int | float) or not low <= found <= high:
            return default
        return float(found)

    def set(self, name: str, value: Any) -> None:
        """Remember a value (anything that JSON has); the next `save` makes it last."""
        line = _line(name, value)
        if line == self._lines.get(name):
            return
        self._values[name], self._lines[name] = value, line
        self._unsaved[name] = None
        self.changed = True
        if self._wake is not None:
            self._wake()

    def save(self) -> bool:
        """Make what was set last. True: no power cut takes it away any more; False: it is in memory only."""
        self.changed = False
        names = list(self._unsaved)
        for name in names:  # before the values are read: what is set from here on is saved once more
            self._unsaved.pop(name)
        if self.folder is None:
            return False
        try:
            if names and self._descriptor >= 0:
                self._append(b"".join(self._lines[name] for name in names))
            if names and (self._descriptor < 0 or self._size > self._rewrite_bytes):
                self._rewrite(self.folder)
        except OSError as refusal:
            self._unsaved.update(dict.fromkeys(names))
            self._give_up(refusal)
            return False
        if names and self._refused:
            log.warning("what the toy remembers is kept again in %s", self.folder)
            self._refused = ""
        return True

    def close(self) -> None:
        """Save what can be saved, and let go of the file."""
        self.save()
        self._let_go()

    def _append(self, lines: bytes) -> None:
        _write(self._descriptor, lines)
        os.fsync(self._descriptor)
        self._size += len(lines)

    def _rewrite(self, folder: Path) -> None:
        """One line a name in a file of its own, which then takes the journal's name."""
        self._let_go()
        _make(folder)
        lines = b"".join(list(self._lines.values()))
        descriptor = os.open(folder / UNFINISHED, APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write(descriptor, lines)
            os.fsync(descriptor)
            (folder / UNFINISHED).replace(folder / JOURNAL)
            sync_folder(folder)  # before anything is appended: a cut might bring back the old file
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                (folder / UNFINISHED).unlink(missing_ok=True)  # it may be what filled the disk
            raise
        self._descriptor, self._size = descriptor, len(lines)
        self._rewrite_bytes = max(self._rewrite_bytes, 2 * len(lines))

    def _load(self, folder: Path) -> None:
        try:
            _make(folder)
            content = _read(folder / JOURNAL)
        except FileNotFoundError:
            return  # a new toy; the first `save` makes the file
        except OSError as refusal:
            self._give_up(refusal)
            return
        broken = 0
        for line in content.splitlines(keepends=True):
            pair = _pair(line)
            if pair is None:
                broken += 1
            else:
                self._values[pair[0]], self._lines[pair[0]] = pair[1], line
        if broken:
            log.warning("%d lines of %s were not whole and are left out", broken, folder / JOURNAL)
            return  # written anew by the next `save`: nothing may be appended to half a line
        with contextlib.suppress(OSError):  # read-only: the next `save` says so
            sync_folder(folder)  # whoever wrote the file anew may have been killed before
            self._descriptor, self._size = os.open(folder / JOURNAL, APPEND), len(content)

    def _give_up(self, refusal: OSError) -> None:
        """Go on in memory. After a failed flush nobody knows what is on the disk: the file will be written anew."""
        self._let_go()
        reason = refusal.strerror or str(refusal)
        if reason != self._refused:
            log.warning("what the toy remembers cannot be kept in %s: %s", self.folder, reason)
        self._refused = reason

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


def _line(name: str, value: Any) -> bytes:
    record = json.dumps([name, value], separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(record), record)


def _pair(line: bytes) -> tuple[str, Any] | None:
    """Name and value of a line; None when it is not as it was written."""
    checksum, _, record = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(record):
        return None
    try:
        name, value = json.loads(record)
    except (ValueError, TypeError):  # whole, and not by this program
        return None
    return (name, value) if isinstance(name, str) else None


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def sync_folder(folder: Path) -> None:
    """What was renamed in a folder outlasts a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
