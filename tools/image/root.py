"""The root of an image: Debian, thinned out and told to start the toy and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from tools.image.base import EPOCH
from tools.image.steps import Steps, fresh

MASKED = (  # beyond what epsilon.service masks
    *(
        "getty.target",
        "getty-static.service",
        "systemd-update-done.service",
        "systemd-network-generator.service",
    ),
    *("systemd-update-utmp.service", "systemd-boot-system-token.service", "modprobe@drm.service"),
)
REMOVED = (  # what only people at a keyboard, or Debian's own scripts, need
    *(
        f"usr/share/{name}"
        for name in (
            "bash-completion bug debconf doc doc-base i18n info initramfs-tools lintian locale man menu pixmaps "
            "polkit-1 sounds zoneinfo zsh"
        ).split()
    ),
    *(
        f"usr/lib/python3.11/{name}"
        for name in "ensurepip idlelib lib2to3 pydoc_data test tkinter turtledemo".split()
    ),
    # they look at each start for disks and volumes that no toy has; the one that reads fstab stays
    *(
        f"usr/lib/systemd/system-generators/systemd-{name}-generator"
        for name in (
            "bless-boot cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update "
            "sysv veritysetup"
        ).split()
    ),
    *("usr/lib/apt", "usr/lib/systemd/boot", "usr/lib/udev/hwdb.d", "usr/lib/*/perl", "usr/lib/*/perl-base"),
    *(
        "usr/lib/*/perl5",
        "usr/lib/*/gconv",
        "usr/lib/*/libperl.so*",
        "usr/bin/perl*",
        "usr/bin/apt*",
        "usr/share/perl*",
    ),
)
EMPTIED = ("var", "run", "tmp", "boot", "dev", "proc", "sys")
FSTAB = """\
tmpfs /tmp tmpfs nosuid,nodev,size=64m 0 0
tmpfs /var tmpfs nosuid,nodev,mode=755,size=64m 0 0
"""
SET_ID = stat.S_ISUID | stat.S_ISGID


def unpack(tar: Path, root: Path, steps: Steps) -> None:
    """Debian as it came, less the devices: the kernel makes those."""
    steps.run(["tar", "-C", fresh(root), "--no-same-owner", "--exclude=./dev/*", "-xf", tar])


def thin_out(root: Path) -> None:
    """Take away what only people at a keyboard need; what was kept for the licence list is read before."""
    for pattern in REMOVED:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in EMPTIED:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    for name in ("data", "root", "home", "mnt"):
        (root / name).mkdir(exist_ok=True)


def settle(root: Path, steps: Steps) -> None:
    """No clock from a network, no identity that two toys would share, nobody who could become root."""
    for name in MASKED:
        link(root / "etc/systemd/system" / name, os.devnull)
    write(root, "etc/fstab", FSTAB)
    write(root, "etc/hostname", "epsilon\n")
    write(root, "etc/machine-id", "uninitialized\n")
    write(root, "etc/resolv.conf", "")
    link(root / "etc/mtab", "../proc/self/mounts")
    steps.run(["systemd-sysusers", f"--root={root}"], SOURCE_DATE_EPOCH=EPOCH)
    for name in ("etc/.pwd.lock", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"):
        (root / name).unlink(missing_ok=True)
    for path in root.rglob("*"):
        mode = path.lstat().st_mode
        if mode & SET_ID and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~SET_ID)


def overlay(root: Path, folder: Path) -> None:
    """Lay a folder's files and links over the root; what was there under their names goes."""
    for path in sorted(folder.rglob("*")):
        target = root / path.relative_to(folder)
        if "__pycache__" in path.parts or (path.is_dir() and not path.is_symlink()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)


def write(root: Path, name: str, text: str | bytes) -> None:
    """A file of the root with its folders."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def link(path: Path, target: str) -> None:
    """A symbolic link, whatever was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def facts(root: Path, known: Mapping[str, str]) -> None:
    """What this root is, for updates and for people."""
    write(root, "etc/epsilon/image.json", json.dumps(known, indent=1, sort_keys=True) + "\n")
