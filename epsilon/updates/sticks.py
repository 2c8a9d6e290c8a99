"""Sticks and cards: what every disk but the toy's own holds, mounted for reading only, and the bundles there."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from epsilon.updates.bundle import Bundle, UpdateError
from epsilon.updates.fit import newest

SUFFIX = ".raucb"
FILE_SYSTEMS = "vfat,exfat,ext4"
# Nothing on a stick is run, and nothing is written to it.
OPTIONS = "ro,nosuid,nodev,noexec"
Mount = Callable[[str], AbstractContextManager[Path | None]]


def foreign(sysfs: Path, own: str) -> list[str]:
    """The names of what may hold a file system: partitions, or whole disks without any, of all disks but our own."""
    found = []
    for disk in sorted((sysfs / "block").iterdir()):
        if disk.name == own or disk.name.startswith(("loop", "ram", "zram", "dm-", "mtd")):
            continue
        parts = sorted(below.name for below in disk.iterdir() if (below / "partition").is_file())
        found += parts or [disk.name]
    return found


def own_disk(devices: Path, sysfs: Path) -> str:
    """The disk that the toy was started from, as the kernel names it."""
    part = (devices / "slots").resolve().name
    holding = [disk.name for disk in (sysfs / "block").iterdir() if (disk / part).is_dir()]
    return holding[0] if holding else part


@contextmanager
def mounted(name: str) -> Iterator[Path | None]:
    """Where that partition can be read; None where it holds no file system that is known here."""
    with tempfile.TemporaryDirectory(prefix="epsilon-stick-") as folder:
        command = ["mount", "-t", FILE_SYSTEMS, "-o", OPTIONS, f"/dev/{name}", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)


def bundles_in(folder: Path) -> list[Path]:
    """The bundles that lie at the top of a stick. UpdateError when it is damaged or was pulled."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())
    except OSError as refusal:
        raise UpdateError(f"cannot be read: {refusal.strerror}", str(folder)) from refusal


def choose(folder: Path, check: Callable[[Path], Bundle]) -> tuple[Bundle | None, list[UpdateError]]:
    """The newest bundle on a stick that is for this toy, and why each other one is not."""
    taken: list[Bundle] = []
    refused: list[UpdateError] = []
    try:
        paths = bundles_in(folder)
    except UpdateError as damage:
        return None, [damage]
    for path in paths:
        try:
            taken.append(check(path))
        except UpdateError as mistake:
            refused.append(mistake)
    return newest(taken), refused
