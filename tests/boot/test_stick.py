"""A stick with an update is put into a toy of the real image: the units, udev, mount and RAUC of that image take it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from epsilon import slots
from epsilon.config.folders import root
from epsilon.updates.installing import FACTS
from tests import initrd_guest
from tests.boot import machine, overlay
from tests.boot.test_boots import OUT, build
from tests.initrd_guest import Guest, run
from tools import bundle

pytestmark = pytest.mark.image
KEYS = root() / "build" / "keys"
IMAGE_ROOT = OUT / "work/qemu-x86-bram/root"
PARTITIONS = {"slots": 1, "root_b": 8, "root_a": 384}  # MiB
STICK_BYTES = 16 << 20
# In the guest only: once the update's unit has ended the machine is turned off.
TURNED_OFF = "[Service]\nExecStopPost=/usr/bin/systemctl poweroff --force\n"
UNIT = "etc/systemd/system/epsilon-update@.service.d/off.conf"
STICK = "-device qemu-xhci -device usb-storage,drive=s -cpu max -smp 2 -m 2048".split()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    """A machine with the image's root in slot a, which has proved itself, and nothing in slot b."""
    if absent := machine.missing() or ", ".join(initrd_guest.missing()):
        pytest.skip(absent)
    build("qemu-x86", OUT, overlay.lay(tmp_path / "over", "qemu-x86"))
    tree, packed = tmp_path / "root", tmp_path / "root.squashfs"
    subprocess.run(["cp", "-a", IMAGE_ROOT, tree], check=True)
    (tree / UNIT).parent.mkdir(parents=True)
    (tree / UNIT).write_text(TURNED_OFF)
    run(
        "mksquashfs",
        str(tree),
        str(packed),
        "-noappend",
        "-quiet",
        "-no-progress",
        "-all-root",
        "-comp",
        "lz4",
    )
    guest = Guest(tmp_path, dict(PARTITIONS))
    guest.write("slots", slots.blank(slots.good(slots.factory("a" * 16), "a")))
    guest.write("root_a", packed.read_bytes())
    yield guest
    for path in (guest.disk, packed):
        path.unlink()
    shutil.rmtree(tree)


def stick(folder: Path, version: str) -> Path:
    """A stick with a bundle of a tiny root, of that version, for that very image."""
    small, update, disk = (folder / name for name in ("small.squashfs", "new.raucb", "stick.img"))
    small.write_bytes(initrd_guest.tiny_root(folder, "second", "poweroff"))
    facts = json.loads((IMAGE_ROOT / FACTS).read_text(encoding="utf-8"))
    bundle.make(small, facts | {"version": version}, KEYS, update)
    disk.write_bytes(bytes(STICK_BYTES))
    run("/usr/sbin/mkfs.vfat", str(disk))
    run("mcopy", "-i", str(disk), str(update), "::/new.raucb")
    return disk


def test_an_update_on_a_stick_is_what_starts_next(guest: Guest, tmp_path: Path) -> None:
    drive = f"if=none,id=s,format=raw,file={stick(tmp_path, '99.0')}"
    guest.start("systemd.unit=sysinit.target", *STICK, "-drive", drive)
    record = guest.record()
    assert record is not None and record.first == "b" and record.b.state == "new" and record.b.tries == 3
    assert "STARTED second from root_b" in guest.start()
