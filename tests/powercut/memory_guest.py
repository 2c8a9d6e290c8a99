"""A machine of QEMU's that remembers facts on a recorded disk, by the toy's own code on a real kernel's ext4."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from epsilon.config.folders import root
from tests import initrd_guest
from tests.initrd_guest import BUSYBOX, run
from tests.powercut.disk import RecordingDisk
from tools.image.initrd import Entry, pack, plain_name, unpacked

PYTHON = Path("/usr/bin/python3.11")
STANDARD = Path("/usr/lib/python3.11")
OURS = ("epsilon/__init__.py", "epsilon/state.py", "tests/powercut/writer.py")
MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
LOADED = """
import runpy, sys, traceback, tests.powercut.writer
print(*(one.__file__ for one in list(sys.modules.values()) if getattr(one, "__file__", None)), sep="\\n")
"""
DISK_BYTES, BLOCK = 8 << 20, 4096
LONGEST_S = 900  # a guard only: a quiet machine needs half a minute
DIRECTORY, FILE, LINK = 0o040755, 0o100755, 0o120777
INIT = """#!/bin/busybox sh
export PATH=/bin:/usr/bin PYTHONPATH=/opt PYTHONDONTWRITEBYTECODE=1
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
while read name; do busybox insmod "/modules/$name"; done < /modules/order
busybox mount -t ext4 -o noatime,commit=5,errors=remount-ro /dev/vda /data || echo "CANNOT MOUNT"
python3.11 -m tests.powercut.writer /data {facts} "{how}" /dev/vda && echo "ALL WRITTEN"
busybox poweroff -f
"""


def missing() -> list[str]:
    """What of it is not on this machine."""
    tools = [
        tool
        for tool in ("mke2fs", "mount", "umount", "unshare")
        if not shutil.which(tool, path="/usr/sbin:/usr/bin:/bin")
    ]
    files = [str(path) for path in (PYTHON, STANDARD) if not path.exists()]
    return [*initrd_guest.missing(), *tools, *files]


def blank(disk: Path) -> bytes:
    """An empty file system, and behind it the block for promises."""
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    run("mke2fs", "-q", "-t", "ext4", "-b", "1024", str(disk), f"{(DISK_BYTES - BLOCK) >> 10}k")
    return disk.read_bytes()


def promised(disk: bytes) -> int:
    """The last number that the guest was sure of."""
    return int(disk[-BLOCK:][:16].strip(b"\0") or b"0")


def remember(folder: Path, recording: RecordingDisk, facts: int, how: str) -> None:
    """Start the machine and wait until it has remembered so many facts and is off."""
    initrd = folder / "initrd"
    initrd.write_bytes(pack(_entries(INIT.format(facts=facts, how=how))))
    kernel = next((initrd_guest.kernel() / "boot").glob("vmlinuz-*"))
    command = ["nice", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m", "512", "-nographic"]
    command += ["-nodefaults", "-no-reboot", "-serial", "stdio", "-nic", "none"]
    command += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", "console=ttyS0 quiet panic=-1"]
    command += ["-drive", f"if=none,id=d,{recording.drive}", "-device", "virtio-blk-pci,drive=d"]
    ended = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=LONGEST_S, check=True
    )
    assert "ALL WRITTEN" in ended.stdout, ended.stdout[-3000:]


def _entries(init: str) -> Iterator[Entry]:
    """Everything that is in the guest's memory when it starts."""
    modules = _modules()
    names = [plain_name(path) for path in modules]
    files = {"init": init.encode(), "bin/busybox": BUSYBOX.read_bytes()}
    files["modules/order"] = "".join(f"{name}\n" for name in names).encode()
    files |= {f"modules/{name}": unpacked(path) for name, path in zip(names, modules, strict=True)}
    files |= {f"opt/{name}": (root() / name).read_bytes() for name in OURS}
    files |= {str(path.relative_to("/")): path.read_bytes() for path in _python()}
    folders = {"data", "dev", "proc", "sys"}
    folders |= {str(above) for name in files for above in Path(name).parents if str(above) != "."}
    yield from (Entry(folder, DIRECTORY) for folder in sorted(folders))
    yield from (Entry(name, FILE, data) for name, data in files.items())
    yield Entry("bin/sh", LINK, b"busybox")


def _modules() -> list[Path]:
    """The kernel's modules, in the order in which they load."""
    tree = initrd_guest.kernel()
    found: list[str] = []
    for name in MODULES:
        listed = run("modprobe", "-d", str(tree), "-S", initrd_guest.version(tree), "--show-depends", name)
        found += [line.split()[1] for line in listed.splitlines() if line.startswith("insmod")]
    return [Path(path) for path in dict.fromkeys(found)]


def _python() -> set[Path]:
    """Python, what the writer imports of its own modules, and the shared libraries of both."""
    environment = {"PYTHONPATH": str(root()), "PYTHONDONTWRITEBYTECODE": "1"}
    listed = subprocess.run(
        [PYTHON, "-c", LOADED], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    found = {Path(line) for line in listed.stdout.splitlines() if line.startswith(str(STANDARD))}
    found |= set(STANDARD.glob("encodings/*.py"))
    for program in (PYTHON, *(path for path in found if path.suffix == ".so")):
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", run("ldd", str(program)))}
    return found | {PYTHON}
