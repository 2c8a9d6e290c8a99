"""What a process asked of its files, recorded by strace, and what a power cut may leave of them.

Harsher than any one file system: of a file that was not flushed each write is kept, lost, torn or nothing but zeros; of
a folder that was not flushed the last changes are lost, even where the file itself was flushed. Needs neither root nor
a disk.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
CALLS = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Call:
    """A call that succeeded: its name, its strings, its numbers and flags as they stand there, its result."""

    name: str
    strings: tuple[bytes, ...]
    rest: str
    result: int


def traced(command: Sequence[str], trace: Path) -> list[Call]:
    """Run a command under strace; what it asked of files, in order."""
    options = ["-xx", "-s", "65536", "-e", f"trace={CALLS}", "-o", str(trace)]
    subprocess.run(["strace", *options, *command], check=True, stdout=subprocess.DEVNULL, timeout=120)
    return list(_calls(trace.read_text(encoding="ascii").splitlines()))


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    for line in lines:
        found = LINE.match(line)
        if found and int(found.group(3)) >= 0:
            name, arguments, result = found.groups()
            strings = tuple(bytes.fromhex(text.replace("\\x", "")) for text in STRING.findall(arguments))
            yield Call(name, strings, STRING.sub('""', arguments), int(result))


@dataclass
class File:
    """What is on the disk, and what may not be yet: data at a place, or a size without data."""

    kept: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)
    size: int = 0

    def flush(self) -> None:
        """From here on all of it is on the disk."""
        for place, data in self.waiting:
            _put(self.kept, place, data)
        self.waiting = []

    def after_a_cut(self, dice: random.Random) -> bytes:
        """What may be found of it."""
        content = bytearray(self.kept)
        for place, data in self.waiting:
            luck = dice.random()
            if data is None or luck < 0.3:
                if dice.random() < 0.5 or data is not None:
                    _put(content, place, data)
            elif luck < 0.5:
                end = (place // SECTOR + dice.randrange(len(data) // SECTOR + 2)) * SECTOR - place
                _put(content, place, data[: max(0, end)])
            elif luck < 0.6:
                _put(content, place, bytes(len(data)))
        return bytes(content)


def _put(content: bytearray, place: int, data: bytes | None) -> None:
    """Data at a place, a hole before it full of zeros; without data that is the new end."""
    if data is None:
        del content[place:]
    if data != b"":
        content.extend(bytes(max(0, place - len(content))))
    if data:
        content[place : place + len(data)] = data


@dataclass
class Folder:
    """Names on the disk, and the changes of names that may not be yet, oldest first."""

    kept: dict[str, File] = field(default_factory=dict)
    waiting: list[tuple[str, File | None]] = field(default_factory=list)  # a name, and its file or none
    steps: list[int] = field(default_factory=list)  # how many of those belong to one change

    def change(self, *names: tuple[str, File | None]) -> None:
        """Give names to files, or take them away, all at once."""
        self.waiting += names
        self.steps.append(len(names))

    def now(self) -> dict[str, File]:
        """The names as the process sees them."""
        return self.after(len(self.steps))

    def after(self, steps: int) -> dict[str, File]:
        """The names when so many of the waiting changes have come to the disk."""
        found = dict(self.kept)
        for name, file in self.waiting[: sum(self.steps[:steps])]:
            if file is None:
                found.pop(name, None)
            else:
                found[name] = file
        return found

    def flush(self) -> None:
        """From here on all of it is on the disk."""
        self.kept, self.waiting, self.steps = self.now(), [], []


class Disk:
    """One folder of files, as a process makes it call by call."""

    def __init__(self, root: Path) -> None:
        self._root = str(root).encode() + b"/"
        self.folder = Folder()
        self.promised = 0
        self._open: dict[int, File | Folder] = {}
        self._at: dict[int, int] = {}  # where the next write goes; -1: behind the end

    def take(self, call: Call) -> None:
        """What a call changes."""
        number = int(call.rest.split(",")[0]) if call.rest[:1].isdigit() else -1
        if call.name == "openat":
            self._take_open(call)
        elif call.name.startswith(("rename", "unlink")):
            self._take_name(call)
        elif call.name == "write" and number == 1:
            self.promised = int(call.strings[0].split()[1])
        elif number in self._open:
            self._take_file(call, number, self._open[number])

    def _take_open(self, call: Call) -> None:
        path = call.strings[0]
        if path + b"/" == self._root:
            self._open[call.result] = self.folder
        elif path.startswith(self._root):
            name, names = path.removeprefix(self._root).decode(), self.folder.now()
            if name not in names:
                names[name] = File()
                self.folder.change((name, names[name]))
            file = self._open[call.result] = names[name]
            self._at[call.result] = -1 if "O_APPEND" in call.rest else 0
            if "O_TRUNC" in call.rest:
                file.waiting.append((0, None))
                file.size = 0

    def _take_name(self, call: Call) -> None:
        names = [path.removeprefix(self._root).decode() for path in call.strings]
        if all(path.startswith(self._root) for path in call.strings):
            before = self.folder.now()
            moved = [(names[1], before[names[0]])] if call.name.startswith("rename") else []
            self.folder.change(*moved, (names[0], None))

    def _take_file(self, call: Call, number: int, file: File | Folder) -> None:
        if call.name == "close":
            del self._open[number]
        elif call.name in ("fsync", "fdatasync"):
            file.flush()
        elif isinstance(file, File) and call.name in ("write", "pwrite64"):
            at = self._at[number]
            place = file.size if at < 0 else int(call.rest.rsplit(",")[-1]) if call.name == "pwrite64" else at
            data = call.strings[0][: call.result]
            file.waiting.append((place, data))
            file.size = max(file.size, place + len(data))
            self._at[number] = at if at < 0 else place + len(data)
        elif isinstance(file, File) and call.name == "ftruncate":
            file.size = int(call.rest.rsplit(",")[-1])
            file.waiting.append((file.size, None))

    def after_a_cut(self, dice: random.Random) -> dict[str, bytes]:
        """What may be found in the folder when the power goes now."""
        names = self.folder.after(dice.randrange(len(self.folder.steps) + 1))
        return {name: file.after_a_cut(dice) for name, file in names.items()}
