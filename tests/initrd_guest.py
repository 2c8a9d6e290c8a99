"""A machine of QEMU's with the real init on a disk of two tiny root slots, for the tests of tools/image/initrd."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from epsilon import slots
from epsilon.config.folders import root
from tools.image import initrd

BUSYBOX = Path("/usr/bin/busybox")
CACHE = root() / "build" / "guest"
MODULES = ("virtio_pci", "virtio_blk", "squashfs", "i6300esb")
TOOLS = ("qemu-system-x86_64", "mksquashfs", "sfdisk", "depmod", "modprobe", "dpkg-deb", "apt-get")
PARTITIONS = {"slots": 1, "root_a": 4, "root_b": 4}
LONGEST_S = 1500  # a guard only: a start takes seconds, on a busy machine minutes

# on a busy machine an emulated timer may come too late for the kernel's check of it, which is then a panic
COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check epsilon.wait=5 epsilon.dark=0"

# What stands for systemd: says who it is and which slot it was started from, then ends the machine.
STARTED = """#!/bin/busybox sh
echo "<2>STARTED $(/bin/busybox cat /name) from $(/bin/busybox readlink /dev/epsilon/running) $*" >/dev/kmsg
[ -L /dev/epsilon/trial ] && echo "<2>ON TRIAL" >/dev/kmsg
[ -L /dev/epsilon/trouble ] && echo "<2>IN TROUBLE" >/dev/kmsg
/bin/busybox {end} -f
"""


def missing() -> list[str]:
    """The programs that are not to be found here."""
    wanted = [tool for tool in TOOLS if not shutil.which(tool, path="/usr/bin:/usr/sbin:/bin:/sbin")]
    return wanted if BUSYBOX.is_file() else [*wanted, "busybox-static"]


def kernel() -> Path:
    """Debian's kernel, unpacked once into build/guest."""
    tree = CACHE / "kernel"
    if not (tree / "ready").is_file():
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        names = run("apt-cache", "depends", "linux-image-amd64").split("Depends: ")[1].split()[0]
        run("apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", names, cwd=tree)
        run("dpkg-deb", "-x", str(next(tree.glob("*.deb"))), str(tree))
        run("depmod", "-b", str(tree), version(tree))
        (tree / "ready").touch()
    return tree


def version(tree: Path) -> str:
    """The kernel's release."""
    return next((tree / "lib" / "modules").iterdir()).name


def modules(tree: Path) -> list[Path]:
    """The modules that the guest's disk needs, in the order in which they load."""
    found: list[str] = []
    for name in MODULES:
        listed = run("modprobe", "-d", str(tree), "-S", version(tree), "--show-depends", name)
        found += [line.split()[1] for line in listed.splitlines() if line.startswith("insmod")]
    return [Path(path) for path in dict.fromkeys(found)]


def run(*command: str, cwd: Path | None = None) -> str:
    """Its output; CalledProcessError where it fails."""
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=600).stdout


def tiny_root(folder: Path, name: str, end: str) -> bytes:
    """A squashfs whose `systemd` says `name` and then ends the machine by `end` (poweroff, reboot)."""
    tree = folder / f"tree-{name}"
    for below in ("bin", "lib/systemd", "dev", "proc", "sys"):
        (tree / below).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin" / "busybox")
    (tree / "name").write_text(name)
    system = tree / "lib" / "systemd" / "systemd"
    system.write_text(STARTED.format(end=end))
    system.chmod(0o755)
    out = folder / f"{name}.squashfs"
    run("mksquashfs", str(tree), str(out), "-noappend", "-quiet", "-no-progress", "-all-root")
    return out.read_bytes()


@dataclass
class Guest:
    """One disk, and the machine that is started from it again and again."""

    folder: Path
    partitions: dict[str, int] = field(default_factory=lambda: dict(PARTITIONS))  # MiB
    places: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.disk, self.initrd, self.tree = self.folder / "disk.img", self.folder / "initrd", kernel()
        with self.disk.open("wb") as file:
            file.truncate((sum(self.partitions.values()) + 2) << 20)
        lines = [f"name={name}, size={size}MiB" for name, size in self.partitions.items()]
        subprocess.run(
            ["sfdisk", "-q", str(self.disk)],
            input="label: gpt\n" + "\n".join(lines) + "\n",
            text=True,
            check=True,
            timeout=60,
        )
        begin = 1
        for name, size in self.partitions.items():
            self.places[name] = begin << 20
            begin += size
        initrd.build(self.initrd, BUSYBOX, modules(self.tree))

    def write(self, name: str, data: bytes) -> None:
        """Put bytes at the beginning of a partition."""
        with self.disk.open("r+b") as file:
            file.seek(self.places[name])
            file.write(data)

    def record(self) -> slots.Record | None:
        """The slot record that is on the disk now."""
        part = self.folder / "slots.img"
        with self.disk.open("rb") as file:
            file.seek(self.places["slots"])
            part.write_bytes(file.read(1 << 20))
        return slots.read(part)

    def start(self, options: str = "", *more: str, drive: str = "") -> list[str]:
        """Turn it on and wait until it is off; what it said on its console. `drive` is another way to the disk."""
        image = next((self.tree / "boot").glob("vmlinuz-*"))
        command = ["nice", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m", "256", "-nographic"]
        command += ["-nodefaults", "-no-reboot", "-serial", "stdio", "-nic", "none", *more]
        command += ["-kernel", str(image), "-initrd", str(self.initrd)]
        command += ["-append", f"{COMMAND_LINE} {options}"]
        command += [
            "-drive",
            f"if=none,id=d,{drive or f'file={self.disk},format=raw'}",
            "-device",
            "virtio-blk-pci,drive=d",
        ]
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=LONGEST_S, check=True
        )
        # the BIOS leaves its own signs on the line
        said = re.findall(r"(?:epsilon: |STARTED |ON TRIAL|IN TROUBLE).*", ended.stdout)
        assert said, f"the init was never reached:\n{ended.stdout[-2000:]}"
        return [line.strip() for line in said]
