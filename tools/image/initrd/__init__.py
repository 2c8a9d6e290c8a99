"""The initrd of a toy: busybox, the kernel modules its disk needs, and the init that picks a root slot.

Written as a cpio archive by this module itself: no root, no tool, and the same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import lzma
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# What init and slots.sh call; busybox is all of them.
APPLETS = (
    "cat", "cut", "dd", "grep", "head", "insmod", "ln", "mkdir", "mount", "poweroff", "readlink", "sed", "sh",
    "sha256sum", "sleep", "switch_root", "tr", "umount", "usleep", "yes",
)  # fmt: skip
FOLDERS = ("bin", "dev", "modules", "proc", "sys", "system")
DIRECTORY, FILE, LINK = 0o040755, 0o100755, 0o120777


@dataclass(frozen=True)
class Entry:
    """One name in the archive; a link's data is where it leads."""

    name: str
    mode: int
    data: bytes = b""


def build(out: Path, busybox: Path, modules: Sequence[Path]) -> None:
    """Write the initrd to `out`. `modules` are the kernel's files in the order in which they load."""
    archive = gzip.compress(pack(entries(busybox, modules)), 9, mtime=0)
    beside = out.with_name(f"{out.name}.part")
    with beside.open("wb") as file:
        file.write(archive)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(out)


def entries(busybox: Path, modules: Sequence[Path]) -> Iterator[Entry]:
    """Everything in it."""
    yield from (Entry(folder, DIRECTORY) for folder in FOLDERS)
    yield Entry("bin/busybox", FILE, busybox.read_bytes())
    yield from (Entry(f"bin/{applet}", LINK, b"busybox") for applet in APPLETS)
    for script in ("init", "slots.sh"):
        yield Entry(script, FILE, (HERE / script).read_bytes())
    names = [plain_name(path) for path in modules]
    yield Entry("modules/order", FILE, "".join(f"{name}\n" for name in names).encode())
    yield from (
        Entry(f"modules/{name}", FILE, unpacked(path)) for name, path in zip(names, modules, strict=True)
    )


def plain_name(module: Path) -> str:
    """The module's file name without what packed it."""
    return module.name.removesuffix(".xz").removesuffix(".zst").removesuffix(".gz")


def unpacked(module: Path) -> bytes:
    """The module itself: busybox loads no packed ones."""
    packed = module.read_bytes()
    if module.suffix == ".xz":
        return lzma.decompress(packed)
    if module.suffix == ".gz":
        return gzip.decompress(packed)
    if module.suffix == ".zst":
        return subprocess.run(["zstd", "-dc"], input=packed, capture_output=True, check=True).stdout
    return packed


def pack(content: Iterator[Entry]) -> bytes:
    """A cpio archive of the kind the kernel reads (newc); everything belongs to root and is of no date."""
    parts = [_member(number, entry) for number, entry in enumerate(content, start=1)]
    whole = b"".join([*parts, _member(0, Entry("TRAILER!!!", 0))])
    return whole.ljust(-(-len(whole) // 512) * 512, b"\0")


def _member(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if entry.mode == DIRECTORY else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields) + name
    return _to_four(header) + _to_four(entry.data)


def _to_four(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 4) * 4, b"\0")
