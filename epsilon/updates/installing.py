"""Writing a checked image over the slot that does not run; the slot record changes before and after, never between."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from epsilon import slots
from epsilon.updates.bundle import Bundle, UpdateError, inspect, unpack
from epsilon.updates.fit import demand_fit, demand_new, read_facts

FACTS = "etc/epsilon/image.json"  # what an image says of itself; tools/image writes it
CONF = "etc/rauc/system.conf"
PIECE = 1 << 20
SPARE = 16 << 20  # bytes left free where it is unpacked
Tell = Callable[[str, float], None]  # what is being done, and which share of it is


@dataclass(frozen=True)
class Places:
    """Where the parts of a toy are that an update needs."""

    devices: Path
    facts: Path
    conf: Path
    scratch: Path

    @classmethod
    def on(cls, root: Path) -> Places:
        """The places below the root of a file system."""
        return cls(
            root / "dev/epsilon",
            root / FACTS,
            root / CONF,
            root / "run/epsilon-update",
        )


def check(path: Path, places: Places, again: bool = False) -> Bundle:
    """The bundle, when it is one for this toy; UpdateError says why not. Its image is checked by `install`."""
    bundle = inspect(path, places.conf)
    demand_fit(bundle, read_facts(places.facts))
    rescue = slots.in_trouble(places.devices)
    demand_new(bundle, _record(places), _running(places), again, rescue)
    return bundle


def install(bundle: Bundle, places: Places, tell: Tell) -> str:
    """Unpack, write, read back, and have it started next; returns the slot. UpdateError leaves what runs as it was."""
    target = slots.other(_running(places))
    device = places.devices / f"root_{target}"
    # the disk first: while it is ours no other update writes, and none unpacks what there is no memory for
    with _opened(device) as disk, _unpacked(bundle, places, tell) as image:
        _demand_room(image, disk, device)
        slots.change(places.devices / "slots", lambda record: slots.emptied(record, target))
        written = _write(image, disk, tell)
        read = _read_back(disk, image.stat().st_size, tell)
    if not written == read == bundle.sha256:
        which = (
            "the bundle holds another image than it says"
            if written == read
            else "the disk keeps something else"
        )
        raise UpdateError(which, str(bundle.path), "the toy starts as before")
    name = slots.identity(bundle.sha256)
    slots.change(places.devices / "slots", lambda record: slots.filled(record, target, name))
    return target


def _running(places: Places) -> str:
    name = slots.running(places.devices)
    if name not in slots.NAMES:
        raise UpdateError("this system was not started from a slot", str(places.devices))
    return name


def _record(places: Places) -> slots.Record:
    return slots.read(places.devices / "slots") or slots.LOST


@contextmanager
def _unpacked(bundle: Bundle, places: Places, tell: Tell) -> Iterator[Path]:
    """The image in memory: the stick may be pulled, or answer differently the second time it is read."""
    tell("checking the bundle", 0)
    places.scratch.mkdir(parents=True, exist_ok=True)
    for left in places.scratch.iterdir():  # by an update that was killed
        shutil.rmtree(left, ignore_errors=True)
    free = shutil.disk_usage(places.scratch).free
    if free < bundle.size + SPARE:
        raise UpdateError(
            f"unpacking needs {bundle.size / 1e6:.0f} MB, there are {free / 1e6:.0f} MB", str(places.scratch)
        )
    folder = Path(tempfile.mkdtemp(dir=places.scratch))
    try:
        yield unpack(bundle, folder / "content", places.conf)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(device: Path) -> Iterator[int]:
    try:
        # a block device that is mounted refuses O_EXCL: the running system is never written over
        disk = os.open(device, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
    except OSError as refusal:
        raise UpdateError(f"cannot be written: {refusal.strerror}", str(device)) from refusal
    try:
        yield disk
    finally:
        os.close(disk)


def _demand_room(image: Path, disk: int, device: Path) -> None:
    size, room = image.stat().st_size, os.lseek(disk, 0, os.SEEK_END)
    if size > room:
        raise UpdateError(
            f"the image of {size / 1e6:.0f} MB does not fit the slot of {room / 1e6:.0f} MB", str(device)
        )


def _write(image: Path, disk: int, tell: Tell) -> str:
    """Copy it to the disk, for good; the checksum of what was copied."""
    size, place, digest = image.stat().st_size, 0, hashlib.sha256()
    with image.open("rb") as source:
        while piece := source.read(PIECE):
            digest.update(piece)
            _put(disk, piece, place)
            place += len(piece)
            tell("writing", place / size)
    os.fsync(disk)
    return digest.hexdigest()


def _put(disk: int, piece: bytes, place: int) -> None:
    try:
        done = os.pwrite(disk, piece, place)
    except OSError as refusal:
        raise UpdateError(
            f"the disk does not take it: {refusal.strerror}", hint="the toy starts as before"
        ) from refusal
    if done != len(piece):
        raise UpdateError("the disk is full", hint="the toy starts as before")


def _read_back(disk: int, size: int, tell: Tell) -> str:
    """The checksum of what is on the disk, not of what the kernel remembers having been given."""
    if stat.S_ISBLK(os.fstat(disk).st_mode):
        os.posix_fadvise(disk, 0, 0, os.POSIX_FADV_DONTNEED)
    place, digest = 0, hashlib.sha256()
    while place < size:
        piece = os.pread(disk, min(PIECE, size - place), place)
        if not piece:
            break
        digest.update(piece)
        place += len(piece)
        tell("reading back", place / size)
    return digest.hexdigest()
