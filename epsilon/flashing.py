"""Which disk an image may be written to, and whether it arrived: facts from sysfs, and the image's own block map."""

from __future__ import annotations

import hashlib
import os
import re
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from epsilon.errors import EpsilonError, nearest

SECTOR = 512  # the unit of sizes in sysfs, whatever the disk's own is
BLOCK = 1 << 20
SYSFS, PROC = Path("/sys"), Path("/proc")
WORN = "the card may be worn out"


class FlashError(EpsilonError):
    """The image must not, or could not, be written there."""


@dataclass(frozen=True)
class Disk:
    """A whole disk, as the kernel describes it."""

    name: str
    size: int
    model: str
    removable: bool
    partitions: tuple[str, ...]

    def __str__(self) -> str:
        kind = "removable" if self.removable else "fixed"
        inside = f", partitions {', '.join(self.partitions)}" if self.partitions else ", no partitions"
        return (
            f"/dev/{self.name}: {self.size / 1e9:.1f} GB, {self.model or 'of no known model'}, {kind}{inside}"
        )


def disk_at(device: str, sysfs: Path = SYSFS) -> Disk:
    """The disk of that name or path; FlashError when it is none, or only a part of one."""
    path = Path("/dev", device).resolve()  # of /dev/disk/by-id/… too
    name = path.name
    folder = sysfs / "class/block" / name
    if path.parent != Path("/dev") or not folder.exists():
        raise FlashError(f"there is no disk '{device}'{nearest(name, disk_names(sysfs))}")
    if (folder / "partition").exists():
        whole = folder.resolve().parent.name
        raise FlashError(f"'{device}' is a partition", hint=f"an image is a whole disk: /dev/{whole}")
    parts = [path.name for path in sorted(folder.iterdir()) if (path / "partition").exists()]
    model = " ".join(filter(None, (_line(folder / "device" / key) for key in ("vendor", "model", "name"))))
    size = int(_line(folder / "size") or 0) * SECTOR
    return Disk(name, size, model, _line(folder / "removable") == "1", tuple(parts))


def disk_names(sysfs: Path = SYSFS) -> list[str]:
    """Every whole disk that has room for anything."""
    folders = (sysfs / "class/block").glob("*")
    return sorted(
        path.name
        for path in folders
        if not (path / "partition").exists()
        and _line(path / "size") not in ("", "0")
        and not re.match(r"loop|ram|zram|dm-|md|sr", path.name)
    )


def demand_free(disk: Disk, needed: int, sysfs: Path = SYSFS, proc: Path = PROC) -> None:
    """FlashError with every reason why this disk must not be overwritten."""
    reasons = list(_uses(disk, sysfs, proc))
    if _line(sysfs / "class/block" / disk.name / "ro") == "1":
        reasons.append("it is write-protected")
    if disk.size < needed:
        reasons.append(f"it holds {disk.size / 1e6:.0f} MB and the image needs {needed / 1e6:.0f}")
    if reasons:
        raise FlashError("; ".join(reasons), f"/dev/{disk.name}", "choose another disk, or unmount this one")


def _uses(disk: Disk, sysfs: Path, proc: Path) -> Iterator[str]:
    """What the running system does with the disk."""
    parts, numbers = {}, {}
    for part in (disk.name, *disk.partitions):
        for user in (part, *_holders(part, sysfs)):
            parts[user] = numbers[_line(sysfs / "class/block" / user / "dev")] = part
    for line in (proc / "self/mountinfo").read_text("utf-8").splitlines():
        mount, _, what = line.partition(" - ")
        fields, source = mount.split(), Path(what.split()[1])
        # some file systems, btrfs among them, have a number that no disk has
        found = numbers.get(fields[2]) or (source.is_relative_to("/dev") and parts.get(source.resolve().name))
        if found:
            place = fields[4]
            yield f"this system runs from it ({found})" if place == "/" else f"{found} is mounted on {place}"
    swaps = proc / "swaps"
    for line in swaps.read_text("utf-8").splitlines()[1:] if swaps.is_file() else []:
        swap = Path(line.split()[0]).name
        if swap in parts:
            yield f"{parts[swap]} is swap space"


def _holders(name: str, sysfs: Path) -> list[str]:
    """Encrypted disks, volumes and arrays that lie on a disk or partition, and what lies on those."""
    folder = sysfs / "class/block" / name / "holders"
    direct = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return direct + [above for holder in direct for above in _holders(holder, sysfs)]


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:  # not every disk has every fact
        return ""


@dataclass(frozen=True)
class Stretch:
    """Blocks of the image that hold something, from the first to the last, and their checksum."""

    start: int
    length: int
    sha256: str


@dataclass(frozen=True)
class BlockMap:
    """What a .bmap file says: how large the image is and which of it must be written."""

    size: int
    stretches: tuple[Stretch, ...]

    @property
    def used(self) -> int:
        """Bytes that are written."""
        return sum(stretch.length for stretch in self.stretches)


def read_map(path: Path) -> BlockMap:
    """FlashError when it is none, or one without checksums."""
    try:
        root = xml.fromstring(path.read_text("utf-8"))
        size, block = int(_text(root, "ImageSize")), int(_text(root, "BlockSize"))
        stretches = [_stretch(one, block, size) for one in root.iterfind("BlockMap/Range")]
    except (OSError, ValueError, KeyError, xml.ParseError) as mistake:
        raise FlashError(f"is no block map: {mistake}", str(path), "it is made with the image") from mistake
    return BlockMap(size, tuple(stretches))


def _text(root: xml.Element, name: str) -> str:
    found = root.find(name)
    if found is None or found.text is None:
        raise ValueError(f"no {name}")
    return found.text.strip()


def _stretch(one: xml.Element, block: int, size: int) -> Stretch:
    first, _, last = (one.text or "").strip().partition("-")
    start = int(first) * block
    end = min((int(last or first) + 1) * block, size)
    if not 0 <= start < end:
        raise ValueError(f"blocks {first} to {last or first} are none of the image's")
    return Stretch(start, end - start, one.attrib["chksum"])


def verify(device: Path, wanted: BlockMap, tell: Callable[[int], None]) -> None:
    """Read back every stretch, from the disk and not from memory; FlashError names the first that differs."""
    done, start = 0, 0
    try:
        with device.open("rb") as disk:
            os.fsync(disk.fileno())
            os.posix_fadvise(disk.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            for stretch in wanted.stretches:
                start = stretch.start
                for count in _compared(disk, stretch):
                    done += count
                    tell(done)
    except BrokenPipeError:  # of whoever is told
        raise
    except OSError as refusal:
        message = f"cannot be read back from byte {start} on: {refusal.strerror}"
        raise FlashError(message, str(device), WORN) from refusal


def _compared(disk: BinaryIO, stretch: Stretch) -> Iterator[int]:
    """How many bytes were read, piece by piece; FlashError when they are not those of the image."""
    disk.seek(stretch.start)
    digest, left = hashlib.sha256(), stretch.length
    while left and (block := disk.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
        yield len(block)
    if left or digest.hexdigest() != stretch.sha256:
        raise FlashError(f"what was written differs from byte {stretch.start} on", disk.name, WORN)


def demand_whole(image: Path) -> bool:
    """Whether its checksum was there to compare; FlashError when the image is not the one that it names."""
    for sums in sorted(image.parent.glob("*SHA256SUMS")):
        for line in sums.read_text("utf-8").splitlines():
            digest, _, name = line.partition("  ")
            if name == image.name:
                with image.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                if found != digest:
                    raise FlashError("is damaged: its checksum is another", str(image), f"see {sums.name}")
                return True
    return False
