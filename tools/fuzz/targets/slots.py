"""The record of the root slots, on the partition that init reads before anything else."""

from __future__ import annotations

from pathlib import Path

from epsilon import slots

WORDS = (b"\n", b"good", b"a=", b"b=", b" ", b"\0\0\0\0", b"99999999999999999999")


def seeds() -> list[bytes]:
    """A new one, and one that has been used; the file is cut to the part that holds something."""
    new = slots.factory(slots.identity("0" * 64))
    return [slots.blank(new, 8192), slots.blank(slots.good(slots.starting(new)[0], "a"), 8192)]


def read(data: bytes, folder: Path) -> object:
    """As an update does; what is good can be changed, and reads back."""
    path = folder / "slots"
    path.write_bytes(data.ljust(8192, b"\0")[:65536])
    if slots.read(path) is None:
        raise slots.SlotError("no copy is sound", str(path))
    changed = slots.change(path, lambda record: slots.bad(record, "b"))
    assert slots.read(path) == changed
    return changed
