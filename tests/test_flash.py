"""`epsilon flash`: which disks are refused, that the name is asked for, that what was written is read back."""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
from pathlib import Path

import pytest

from epsilon import flashing
from epsilon.cli import flash
from epsilon.flashing import FlashError

BLOCK = 4096
MAP = """<?xml version="1.0" ?>
<bmap version="2.0">
  <ImageSize> {size} </ImageSize>
  <BlockSize> 4096 </BlockSize>
  <BlocksCount> 4 </BlocksCount>
  <MappedBlocksCount> 2 </MappedBlocksCount>
  <ChecksumType> sha256 </ChecksumType>
  <BlockMap>
    <Range chksum="{first}">0</Range>
    <Range chksum="{last}">2-3</Range>
  </BlockMap>
</bmap>
"""
CONTENT = b"a" * BLOCK + b"\0" * BLOCK + b"b" * (2 * BLOCK - 7)


class Machine:
    """A made-up /sys and /proc with the disks sda (the system's) and sdb (a memory card)."""

    def __init__(self, folder: Path) -> None:
        self.sysfs, self.proc = folder / "sys", folder / "proc"
        (self.proc / "self").mkdir(parents=True)
        self.mounts("8:2 / /", "0:5 / /proc")
        for number, (disk, model) in enumerate({"sda": "Fast SSD", "sdb": "Card Reader"}.items()):
            self._disk(disk, model, 16 * number, removable=number)

    def _disk(self, name: str, model: str, minor: int, removable: int) -> None:
        folder = self.sysfs / "devices" / name
        (folder / "device").mkdir(parents=True)
        facts = {
            "size": "100000",
            "dev": f"8:{minor}",
            "ro": "0",
            "removable": str(removable),
            "device/model": model,
        }
        for key, value in facts.items():
            (folder / key).write_text(f"{value}\n")
        for part in (1, 2):
            inside = folder / f"{name}{part}"
            (inside / "holders").mkdir(parents=True)
            (inside / "partition").write_text(str(part))
            (inside / "dev").write_text(f"8:{minor + part}\n")
            self.name(inside)
        self.name(folder)

    def name(self, folder: Path) -> None:
        """Put it where the kernel lists all of them."""
        link = self.sysfs / "class/block" / folder.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder)

    def mounts(self, *lines: str) -> None:
        """What /proc/self/mountinfo says: 'MAJOR:MINOR ROOT PLACE' each."""
        (self.proc / "self/mountinfo").write_text("".join(f"1 1 {line} rw - ext4 x rw\n" for line in lines))

    def disk(self, name: str) -> flashing.Disk:
        return flashing.disk_at(name, self.sysfs)

    def refusal(self, name: str, needed: int = 1) -> str:
        """Why a disk is refused; empty where it is not."""
        try:
            flashing.demand_free(self.disk(name), needed, self.sysfs, self.proc)
        except FlashError as refusal:
            return str(refusal)
        return ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    path = folder / "toy.img"
    path.write_bytes(CONTENT)
    sums = [
        hashlib.sha256(CONTENT[at:end]).hexdigest() for at, end in ((0, BLOCK), (2 * BLOCK, len(CONTENT)))
    ]
    (folder / "toy.bmap").write_text(MAP.format(size=len(CONTENT), first=sums[0], last=sums[1]))
    return path


def test_a_free_card_is_described_and_taken(machine: Machine) -> None:
    assert str(machine.disk("/dev/sdb")) == "/dev/sdb: 0.1 GB, Card Reader, removable, partitions sdb1, sdb2"
    assert machine.refusal("sdb") == ""


def test_the_systems_own_disk_is_refused(machine: Machine) -> None:
    assert "this system runs from it (sda2)" in machine.refusal("sda")


def test_a_mounted_disk_is_refused_also_through_a_volume_on_it(machine: Machine) -> None:
    machine.mounts("8:17 / /media/card")
    assert "sdb1 is mounted on /media/card" in machine.refusal("sdb")
    volume = machine.sysfs / "devices/dm-0"
    volume.mkdir()
    (volume / "dev").write_text("253:0\n")
    machine.name(volume)
    (machine.sysfs / "devices/sdb/sdb2/holders/dm-0").symlink_to(volume)
    machine.mounts("253:0 / /home")
    assert "sdb2 is mounted on /home" in machine.refusal("sdb")


def test_a_file_system_without_a_number_of_its_own_is_known_by_its_source(machine: Machine) -> None:
    """btrfs mounts have a number that no disk has."""
    line = "1 1 0:45 / /home rw shared:2 - btrfs /dev/sdb1 rw,subvol=/"
    (machine.proc / "self/mountinfo").write_text(f"{line}\n")
    assert "sdb1 is mounted on /home" in machine.refusal("sdb")


def test_swap_on_a_volume_is_seen(machine: Machine) -> None:
    (machine.sysfs / "devices/sdb/sdb2/holders/dm-0").touch()
    (machine.proc / "swaps").write_text("Filename Type Size\n/dev/dm-0 partition 1\n")
    assert "sdb2 is swap space" in machine.refusal("sdb")


def test_swap_a_lock_and_too_little_room_are_all_named_at_once(machine: Machine) -> None:
    (machine.proc / "swaps").write_text("Filename Type Size\n/dev/sdb1 partition 1\n")
    (machine.sysfs / "devices/sdb/ro").write_text("1\n")
    said = machine.refusal("sdb", needed=1 << 40)
    assert "sdb1 is swap space" in said and "write-protected" in said and "the image needs" in said


def test_a_partition_and_an_unknown_name_are_refused_with_the_disk_that_is_meant(machine: Machine) -> None:
    with pytest.raises(FlashError, match=r"'sdb1' is a partition.*/dev/sdb"):
        machine.disk("sdb1")
    with pytest.raises(FlashError, match=r"no disk '/dev/sdc'; there are: sda, sdb"):
        machine.disk("/dev/sdc")


@pytest.mark.parametrize("path", ["/home/me/images/sdb", "images/sdb", "sdb/device"])
def test_a_path_that_only_ends_like_a_disk_is_none(machine: Machine, path: str) -> None:
    with pytest.raises(FlashError, match="there is no disk"):
        machine.disk(path)


def test_a_card_that_cannot_be_read_is_said(image: Path) -> None:
    with pytest.raises(FlashError, match="cannot be read back"):
        flashing.verify(
            Path("/proc/self/mem"), flashing.read_map(image.with_suffix(".bmap")), lambda done: None
        )


def test_what_was_written_is_read_back(image: Path, tmp_path: Path) -> None:
    wanted, card = flashing.read_map(image.with_suffix(".bmap")), tmp_path / "card"
    assert wanted.size == len(CONTENT) and wanted.used == 3 * BLOCK - 7
    card.write_bytes(CONTENT + b"rest of the card")
    told: list[int] = []
    flashing.verify(card, wanted, told.append)
    assert told[-1] == wanted.used
    for at in (0, 2 * BLOCK, len(CONTENT) - 1):
        damaged = bytearray(CONTENT)
        damaged[at] ^= 1
        card.write_bytes(damaged)
        with pytest.raises(FlashError, match=f"differs from byte {at // (2 * BLOCK) * 2 * BLOCK}"):
            flashing.verify(card, wanted, told.append)
    card.write_bytes(CONTENT[:-1])
    with pytest.raises(FlashError, match="differs"):
        flashing.verify(card, wanted, told.append)


def test_an_unmapped_block_may_hold_anything(image: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.write_bytes(CONTENT[:BLOCK] + b"x" * BLOCK + CONTENT[2 * BLOCK :])
    flashing.verify(card, flashing.read_map(image.with_suffix(".bmap")), lambda done: None)


def test_a_damaged_image_is_not_written(image: Path) -> None:
    assert flashing.demand_whole(image) is False
    (image.parent / "toy.SHA256SUMS").write_text(f"{hashlib.sha256(CONTENT).hexdigest()}  toy.img\n")
    assert flashing.demand_whole(image)
    image.write_bytes(CONTENT[::-1])
    with pytest.raises(FlashError, match="is damaged"):
        flashing.demand_whole(image)


def test_a_wrong_or_missing_image_is_told(image: Path) -> None:
    with pytest.raises(FlashError, match=r"no image .*did you mean toy.img"):
        flash.map_of(image.with_name("toi.img"))
    with pytest.raises(FlashError, match="is no image"):
        flash.map_of(image.with_suffix(".bmap"))
    image.with_suffix(".bmap").write_text("<bmap><ImageSize>x</ImageSize></bmap>")
    with pytest.raises(FlashError, match="is no block map"):
        flashing.read_map(image.with_suffix(".bmap"))
    image.with_suffix(".bmap").write_text(
        MAP.format(size=len(CONTENT), first="", last="").replace("2-3", "3-2")
    )
    with pytest.raises(FlashError, match="blocks 3 to 2 are none"):
        flashing.read_map(image.with_suffix(".bmap"))


class Written(Exception):
    """The double of bmaptool was reached."""


@pytest.fixture
def armed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The command as it is, on a made-up machine, with nothing that writes."""

    def write(image: Path, blocks: Path, device: Path) -> None:
        raise Written(str(device))

    demand, find = flashing.demand_free, flashing.disk_at
    monkeypatch.setattr(flash, "write", write)
    monkeypatch.setattr(flashing, "disk_at", lambda device: find(device, machine.sysfs))
    monkeypatch.setattr(
        flashing, "demand_free", lambda disk, needed: demand(disk, needed, machine.sysfs, machine.proc)
    )
    return machine


def chosen(image: Path, device: str, sure: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(image=image, device=device, sure=sure)


def test_nothing_is_written_before_the_name_was_said_twice(
    image: Path, armed: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said in ("", "sda\n", "yes\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        with pytest.raises(FlashError, match="nothing was written"):
            flash.run(chosen(image, "sdb"))
    for said in ("sdb\n", "/dev/sdb\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        with pytest.raises(Written, match="/dev/sdb"):
            flash.run(chosen(image, "sdb"))
    with pytest.raises(Written):
        flash.run(chosen(image, "sdb", sure="sdb"))
    with pytest.raises(FlashError, match="this system runs from it"):
        flash.run(chosen(image, "sda", sure="sda"))


@pytest.mark.image
@pytest.mark.skipif(shutil.which("bmaptool") is None, reason="bmaptool is not installed")
def test_bmaptool_writes_what_is_read_back(tmp_path: Path) -> None:
    image, card = tmp_path / "toy.img", tmp_path / "card"
    with image.open("wb") as file:  # with a hole in it
        file.write(CONTENT)
        file.seek(1 << 20)
        file.write(CONTENT)
    subprocess.run(["bmaptool", "create", "-o", image.with_suffix(".bmap"), image], check=True)
    card.write_bytes(b"x" * (image.stat().st_size + 100))
    flash.write(image, flash.map_of(image), card)
    flash.check(card, flashing.read_map(flash.map_of(image)))
    assert card.read_bytes().startswith(CONTENT)
