"""The slot record on its raw partition: two checksummed copies of one line.

The init of the initrd (tools/image/initrd/slots.sh) reads and writes the same line with a busybox shell before Python
is there; the format is therefore frozen: an old initrd must read what a new system writes. A write goes to the older
copy and never touches the one that counts, so a power cut leaves the record as it was or as it should be.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from epsilon.errors import EpsilonError
from epsilon.slots.record import LOST, NAMES, Record, Slot, good

COPY_BYTES = 4096  # a whole page, so that no write of one copy can take part of the other with it
PLACES = (0, 512 * 1024)  # far apart: flash forgets in blocks
MARK = "epsilon-slots 1"
LINE = re.compile(
    rf"{MARK} (?P<count>[1-9]\d{{0,11}}) (?P<first>[ab])"
    r" a (?P<a>empty|new|good|bad) (?P<a_tries>[0-3]) (?P<a_identity>[0-9a-f]{16}|-)"
    r" b (?P<b>empty|new|good|bad) (?P<b_tries>[0-3]) (?P<b_identity>[0-9a-f]{16}|-)"
)
DEVICES = Path("/dev/epsilon")  # links that the init makes, to the partitions of the disk it started from


class SlotError(EpsilonError):
    """The slot record cannot be read or written, or does not allow what is asked of it."""


def line_of(record: Record) -> str:
    """The record as it is written, with its checksum."""
    words = [MARK, str(record.count), record.first]
    for name in NAMES:
        slot = record.slot(name)
        words += [name, slot.state, str(slot.tries), slot.identity]
    body = " ".join(words)
    return f"{body} {hashlib.sha256(body.encode()).hexdigest()}"


def parse(copy: bytes) -> Record | None:
    """The record in one copy; None where it is torn, worn or was never written."""
    body, _, checksum = copy.split(b"\n", 1)[0].decode("ascii", "replace").rpartition(" ")
    found = LINE.fullmatch(body)
    if not found or hashlib.sha256(body.encode()).hexdigest() != checksum:
        return None
    slots = [Slot(found[name], int(found[f"{name}_tries"]), found[f"{name}_identity"]) for name in NAMES]
    return Record(int(found["count"]), found["first"], slots[0], slots[1])


def page(record: Record) -> bytes:
    """One copy as it lies on the partition."""
    return f"{line_of(record)}\n".encode().ljust(COPY_BYTES, b"\n")


def blank(record: Record, size: int = 1 << 20) -> bytes:
    """A whole new partition, for whoever builds an image."""
    whole = bytearray(size)
    for place in PLACES:
        whole[place : place + COPY_BYTES] = page(record)
    return bytes(whole)


def newest(copies: list[Record | None]) -> int | None:
    """Which copy counts."""
    sound = [(copy.count, -place) for place, copy in enumerate(copies) if copy is not None]
    return -max(sound)[1] if sound else None


def read(path: Path) -> Record | None:
    """The record on a partition; None where neither copy is sound."""
    with _opened(path, os.O_RDONLY) as disk:
        copies = _copies(disk)
    place = newest(copies)
    return None if place is None else copies[place]


def change(path: Path, step: Callable[[Record], Record]) -> Record:
    """Read, change and write the record while nobody else does; it is on the disk when this returns.

    Where no copy is sound both slots are taken for new, as the init does.
    """
    with _opened(path, os.O_RDWR) as disk:
        fcntl.flock(disk, fcntl.LOCK_EX)
        copies = _copies(disk)
        place = newest(copies)
        before = copies[place] if place is not None else None
        if before is None:
            before = replace(LOST, count=0)
        after = replace(step(before), count=before.count + 1)
        target = PLACES[1 - place if place is not None else 0]
        _write(disk, target, page(after), path)
    return after


def _copies(disk: int) -> list[Record | None]:
    return [_copy(disk, place) for place in PLACES]


def _copy(disk: int, place: int) -> Record | None:
    try:
        return parse(os.pread(disk, COPY_BYTES, place))
    except OSError:  # a worn page; there is a second copy
        return None


def _write(disk: int, place: int, data: bytes, path: Path) -> None:
    try:
        os.pwrite(disk, data, place)
        os.fsync(disk)
    except OSError as refusal:
        raise SlotError(f"the slot record cannot be written: {refusal.strerror}", str(path)) from refusal


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    try:
        disk = os.open(path, flags | os.O_CLOEXEC)
    except OSError as refusal:
        raise SlotError(f"the slot record cannot be opened: {refusal.strerror}", str(path)) from refusal
    try:
        yield disk
    finally:
        os.close(disk)


def running(devices: Path = DEVICES) -> str | None:
    """The slot that was started; None where the system was not started from one."""
    link = devices / "running"
    return link.readlink().name.removeprefix("root_") if link.is_symlink() else None


def on_trial(devices: Path = DEVICES) -> bool:
    """Whether the started slot has yet to prove itself; the init leaves this link then."""
    return (devices / "trial").is_symlink()


def in_trouble(devices: Path = DEVICES) -> bool:
    """Whether no slot had a try left, and what was started is there only to say so."""
    return (devices / "trouble").is_symlink()


def mark_good(devices: Path = DEVICES) -> Record | None:
    """The started slot has proved itself. Does nothing where there are no slots, and writes only what changes."""
    name, path = running(devices), devices / "slots"
    if name is None or not path.exists() or in_trouble(devices):
        return None
    before = read(path)
    if before is not None and replace(good(before, name), count=before.count) == before:
        return before
    return change(path, lambda record: good(record, name))
