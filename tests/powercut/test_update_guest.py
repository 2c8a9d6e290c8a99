"""Two hundred cuts of power around an update that a real kernel writes to a block device, recorded below QEMU."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from epsilon import slots
from tests import initrd_guest
from tests.initrd_guest import Guest
from tests.powercut import copied_system
from tests.powercut.disk import Event, Flush, RecordingDisk, Write, cut
from tests.test_slots import Shell, shell
from tests.toy_disk import FACTS
from tools import bundle
from tools.bundle import keys

__all__ = ["shell"]  # a fixture
CUTS = 200
PARTITIONS = {"slots": 1, "root_b": 4, "promises": 1, "root_a": 64}  # MiB; the last one is only read
PROVEN, UPDATED = 1, 2  # what the guest promises, by the page of `promises` that it writes then

# What stands for systemd in slot a: proves it, fills slot b, and says in between what has been promised.
SYSTEM = """#!/bin/busybox sh
export PATH=/bin:/usr/bin PYTHONPATH=/opt PYTHONDONTWRITEBYTECODE=1
busybox mount -t tmpfs tmpfs /run
busybox mount -t tmpfs tmpfs /tmp
say() {
    echo "<2>STARTED first, promise $1" >/dev/kmsg
    echo $1 | busybox dd of=/dev/epsilon/promises bs=4096 seek=$1 conv=notrunc,fsync
}
python3.11 -m epsilon.slots good && say 1
python3.11 /update.py >/dev/console 2>&1 && say 2
busybox poweroff -f
"""


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """Slot a holds a system that updates, slot b nothing; the update is a tiny root."""
    if absent := initrd_guest.missing() + copied_system.missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    keys.make(tmp_path / "keys")
    small = tmp_path / "small.squashfs"
    small.write_bytes(initrd_guest.tiny_root(tmp_path, "second", "poweroff"))
    update = tmp_path / "new.raucb"
    bundle.make(small, FACTS | {"version": "1.3.0"}, tmp_path / "keys", update)
    guest = Guest(tmp_path, dict(PARTITIONS))
    guest.write("slots", slots.blank(slots.factory("a" * 16)))
    keyring = tmp_path / "keys" / "keyring.pem"
    guest.write("root_a", copied_system.build(tmp_path, FACTS, keyring, update, SYSTEM))
    return guest


def promised(log: list[Event], guest: Guest, page: int) -> int:
    """How many events had happened when the guest made that promise."""
    place = guest.places["promises"] + page * 4096
    return next(at for at, event in enumerate(log) if isinstance(event, Write) and event.place == place)


def part(disk: bytes, guest: Guest, name: str) -> bytes:
    """One partition of a disk."""
    return disk[guest.places[name] :][: PARTITIONS[name] << 20]


@pytest.mark.image
def test_no_cut_of_power_loses_a_system_or_a_promise(guest: Guest, shell: Shell, tmp_path: Path) -> None:
    begin = guest.disk.read_bytes()[: guest.places["root_a"]]
    with RecordingDisk(guest.disk, tmp_path / "nbd") as recording:
        said = guest.start("epsilon.wait=20", drive=recording.drive)
        log = recording.log
    assert "STARTED first, promise 2" in said
    assert sum(isinstance(event, Flush) for event in log) >= 5, "try, proof, emptied, image, filled"
    proven, updated = promised(log, guest, PROVEN), promised(log, guest, UPDATED)
    new = (tmp_path / "small.squashfs").read_bytes()
    digest = hashlib.sha256(new).digest()
    dice = random.Random(5)
    partition = tmp_path / "cut"
    seen = set()
    for _ in range(CUTS):
        at = dice.randrange(len(log) + 1)
        disk = cut(begin, log, at, dice)
        partition.write_bytes(part(disk, guest, "slots"))
        record = slots.read(partition)
        chosen = shell(partition, "read_record || echo unreadable; choose; echo $chosen")
        assert record is not None and chosen in slots.NAMES, at
        assert at <= updated or chosen == "b", f"{at}: the update is lost"
        assert at <= proven or record.a.state == "good", f"{at}: the proof is lost"
        if chosen == "b":
            whole = hashlib.sha256(part(disk, guest, "root_b")[: len(new)]).digest() == digest
            assert whole, f"{at}: a half written slot is started"
        seen.add((chosen, record.a.state, record.b.state))
    assert {("a", "good", "empty"), ("b", "good", "new")} <= seen, "the cuts fell everywhere"
    assert next_start(guest) == "STARTED second from root_b"


def next_start(guest: Guest) -> str:
    """Whom the kernel starts from the disk as the guest left it."""
    return next(line for line in guest.start() if line.startswith("STARTED"))
