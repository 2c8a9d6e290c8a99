"""A machine of QEMU's that boots an image: firmware, disk, sound card, watchdog, no network card."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.virtual_card import VirtualCard

SHARE = Path("/usr/share")
BOOT_AT = "16M"  # where the boot partition begins
ENTRY = "::/loader/entries/epsilon.conf"
AS_LONG_AS_S = (
    1500  # guards only: emulation is some hundred times slower than a machine, and others use this one
)
PROGRAMS = ("qemu-system-x86_64", "qemu-system-aarch64", "mcopy", "pulseaudio")


@dataclass(frozen=True)
class Kind:
    """What differs between the emulated machines."""

    program: str
    machine: tuple[str, ...]
    firmware: Path
    variables: Path


KINDS = {
    "qemu-x86": Kind(
        "qemu-system-x86_64",
        ("-M", "q35", "-cpu", "max"),
        SHARE / "OVMF/OVMF_CODE.fd",
        SHARE / "OVMF/OVMF_VARS.fd",
    ),
    "qemu-arm64": Kind(
        "qemu-system-aarch64",
        ("-M", "virt,gic-version=3", "-cpu", "cortex-a76"),
        SHARE / "AAVMF/AAVMF_CODE.fd",
        SHARE / "AAVMF/AAVMF_VARS.fd",
    ),
}


def missing() -> str:
    """What booting lacks on this machine; empty when it lacks nothing."""
    files = [path for kind in KINDS.values() for path in (kind.firmware, kind.variables)]
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    absent += [str(path) for path in files if not path.is_file()]
    return f"not installed: {', '.join(absent)}; tools/system_packages boot" if absent else ""


@dataclass
class Machine:
    """A machine that is switched on; its disk is a copy, what it writes is lost."""

    board: str
    folder: Path
    program: subprocess.Popen[bytes]
    lines: list[str] = field(default_factory=list)

    def await_line(self, pattern: str, within_s: float = AS_LONG_AS_S) -> str:
        """The next line on the serial port that fits; AssertionError with the last ones when none comes."""
        output: IO[bytes] | None = self.program.stdout
        assert output is not None
        give_up_s = time.monotonic() + within_s
        while time.monotonic() < give_up_s:
            line = output.readline()
            if not line:
                break
            self.lines.append(line.decode(errors="replace").strip())
            if re.search(pattern, self.lines[-1]):
                return self.lines[-1]
        raise AssertionError(f"no line like '{pattern}'; the last were:\n" + "\n".join(self.lines[-20:]))

    def await_end(self) -> None:
        """Until it is off; reads what it still says."""
        output: IO[bytes] | None = self.program.stdout
        assert output is not None
        self.lines += [line.decode(errors="replace").strip() for line in output]
        self.program.wait(AS_LONG_AS_S)

    def turn_off(self) -> None:
        """Ask the image to turn itself off, as its power button would."""
        assert self.program.stdin is not None
        self.program.stdin.write(b"off\n")
        self.program.stdin.flush()

    def count(self, pattern: str) -> int:
        """How many lines so far fit."""
        return sum(bool(re.search(pattern, line)) for line in self.lines)


@contextlib.contextmanager
def switched_on(
    board: str,
    image: Path,
    folder: Path,
    card: VirtualCard | None = None,
    words: str = "",
    reboots: bool = False,
) -> Iterator[Machine]:
    """The machine with a copy of the image; `words` are added to the kernel's command line."""
    kind = KINDS[board]
    disk = folder / "disk.img"
    subprocess.run(["cp", "--sparse=always", image, disk], check=True)
    if words:
        add_words(disk, words)
    shutil.copy(kind.variables, folder / "variables.fd")
    command = ["nice", "-n", "5", kind.program, *kind.machine, *_hardware(kind, folder), *_sound(card)]
    with (folder / "qemu.log").open("wb") as log:
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    try:
        yield Machine(board, folder, program)
    finally:
        program.kill()
        program.wait()
        disk.unlink()


def add_words(disk: Path, words: str) -> None:
    """Put words into the boot loader's entry of a disk."""
    entry = disk.with_name("epsilon.conf")
    where = f"{disk}@@{BOOT_AT}"
    subprocess.run(["mcopy", "-n", "-o", "-i", where, ENTRY, entry], check=True)
    entry.write_text(re.sub(r"^options .*$", rf"\g<0> {words}", entry.read_text(), flags=re.MULTILINE))
    subprocess.run(["mcopy", "-o", "-i", where, entry, ENTRY], check=True)


def _hardware(kind: Kind, folder: Path) -> list[str]:
    flash = "if=pflash,format=raw"
    return [
        *(
            "-accel",
            "tcg,thread=multi",
            "-smp",
            "2",
            "-m",
            "2048",
            "-nographic",
            "-nodefaults",
            "-nic",
            "none",
        ),
        *(
            "-drive",
            f"{flash},readonly=on,file={kind.firmware}",
            "-drive",
            f"{flash},file={folder}/variables.fd",
        ),
        *("-drive", f"if=none,id=d,file={folder}/disk.img,format=raw", "-device", "virtio-blk-pci,drive=d"),
        *("-device", "virtio-rng-pci", "-serial", "stdio"),
        *("-device", "i6300esb", "-action", "watchdog=reset"),
    ]


def _sound(card: VirtualCard | None) -> list[str]:
    """A sound card whose speaker and microphone are the virtual card's; none at all without one."""
    if card is None:
        return ["-audiodev", "none,id=a0", "-device", "intel-hda", "-device", "hda-duplex,audiodev=a0"]
    socket_at = f"server=unix:{card.folder}/socket"
    ways = "out.name=speaker,in.name=microphone.monitor,out.latency=50000,in.latency=50000"
    return [
        "-audiodev",
        f"pa,id=a0,{socket_at},{ways}",
        "-device",
        "intel-hda",
        "-device",
        "hda-duplex,audiodev=a0",
    ]
