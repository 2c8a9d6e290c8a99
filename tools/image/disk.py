"""The disk: the boot partition, the slot record, two roots, the data partition; the same bytes each time."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from epsilon.config.machine import Image
from tools.image.base import EPOCH
from tools.image.kernel import Kernel
from tools.image.steps import ImageError, Steps, fresh

NAMESPACE = uuid.UUID("5f3c1d52-6a3b-4e0e-9c5e-0d7a1be0a2c1")
MB = 1024 * 1024
FIRST_MB = 16  # bootloaders lie before the first partition
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
ROOTS = {"amd64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "arm64": "b921b045-1df0-41c3-af44-4c6f280d3fae"}
LOADERS = {"amd64": ("systemd-bootx64.efi", "BOOTX64.EFI"), "arm64": ("systemd-bootaa64.efi", "BOOTAA64.EFI")}
CALM = "quiet loglevel=3 systemd.show_status=0 panic=10"


@dataclass(frozen=True)
class Part:
    """A partition: its name, type, content and size; of size 0 it is as large as its content."""

    name: str
    kind: str
    content: Path
    size_mb: float = 0


def identity(image: str, what: str) -> str:
    """A UUID that is the same each time this is built."""
    return str(uuid.uuid5(NAMESPACE, f"{image}/{what}"))


def root_image(root: Path, out: Path, image: Image, effort: int, steps: Steps) -> None:
    """The root as one read-only file. ImageError when it is larger than its partition."""
    out.unlink(missing_ok=True)
    if image.compression == "erofs-lz4hc":
        options = [
            "-zlz4hc",
            "-E",
            "legacy-compress",
            "-T",
            EPOCH,
            "-U",
            identity("root", "erofs"),
            "--all-root",
        ]
        steps.run(["mkfs.erofs", *options, out, root])
    else:
        packing = ["-comp", "zstd", "-Xcompression-level", str(effort), "-b", "256K"]
        options = ["-all-root", "-noappend", "-no-progress", "-all-time", EPOCH, "-mkfs-time", EPOCH]
        # it refuses its own options where this variable is set, and the variable alone does not set every date
        steps.run(["env", "-u", "SOURCE_DATE_EPOCH", "mksquashfs", root, out, *packing, *options])
    if out.stat().st_size > image.root_mb * MB:
        needed = -(-out.stat().st_size // MB)
        raise ImageError(
            f"the root needs {needed} MB and its partition has {image.root_mb:.0f}", hint="image: root"
        )


def command_line(image: Image) -> str:
    """What the kernel is told; the init inside the initrd finds the root."""
    consoles = "console=tty0 " if image.console.startswith("ttyS") else ""
    return f"{consoles}console={image.console} {CALM} {image.cmdline}".strip()


def boot_files(
    into: Path, kernel: Kernel, initrd: Path, loader: Path, architecture: str, image: Image
) -> None:
    """What UEFI (systemd-boot), U-Boot (extlinux.conf) and a Raspberry Pi (config.txt) each look for."""
    shutil.copy(kernel.image, into / "vmlinuz")
    shutil.copy(initrd, into / "initrd.gz")
    inside, name = LOADERS[architecture]
    (into / "EFI/BOOT").mkdir(parents=True)
    shutil.copy(loader / "usr/lib/systemd/boot/efi" / inside, into / "EFI/BOOT" / name)
    line = command_line(image)
    texts = {
        "loader/loader.conf": "default epsilon.conf\ntimeout 0\neditor no\n",
        "loader/entries/epsilon.conf": f"title Epsilon\nlinux /vmlinuz\ninitrd /initrd.gz\noptions {line}\n",
    }
    tree = ""
    if image.device_tree:
        tree = Path(image.device_tree).name
        shutil.copy(kernel.device_tree(image.device_tree), into / tree)
        texts["config.txt"] = (
            f"kernel=vmlinuz\ninitramfs initrd.gz followkernel\ndevice_tree={tree}\narm_64bit=1\n"
        )
        texts["cmdline.txt"] = line + "\n"
    fdt = f"  fdt /{tree}\n" if tree else ""
    texts["extlinux/extlinux.conf"] = (
        f"default epsilon\nlabel epsilon\n  linux /vmlinuz\n  initrd /initrd.gz\n{fdt}  append {line}\n"
    )
    for file, text in texts.items():
        path = into / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def boot_partition(folder: Path, out: Path, size_mb: float, name: str, steps: Steps) -> None:
    """A FAT file system with the folder's files."""
    out.unlink(missing_ok=True)
    number = identity(name, "fat")[:8]
    kilobytes = str(round(size_mb) * 1024)
    options = ["-F", "32", "-n", "EPSILON", "-i", number, "--invariant"]
    steps.run(["mkfs.vfat", *options, "-C", out, kilobytes])
    for path in sorted(folder.rglob("*")):
        os.utime(path, (int(EPOCH), int(EPOCH)))
    entries = sorted(folder.iterdir())
    steps.run(["mcopy", "-s", "-m", "-i", out, *entries, "::"], SOURCE_DATE_EPOCH=EPOCH, TZ="UTC")


def data_partition(out: Path, size_mb: float, name: str, steps: Steps) -> None:
    """An empty ext4."""
    out.unlink(missing_ok=True)
    number = identity(name, "data")
    options = ["-q", "-t", "ext4", "-L", "data", "-U", number, "-m", "0", "-E", f"hash_seed={number}"]
    steps.run(["mke2fs", *options, out, f"{round(size_mb)}M"], E2FSPROGS_FAKE_TIME=EPOCH)


def assemble(
    out: Path, parts: Sequence[Part], raw: Sequence[tuple[str, Path, int]], name: str, steps: Steps
) -> None:
    """The whole disk."""
    work = fresh(out.parent / "genimage")
    config = work / "genimage.cfg"
    config.write_text(layout(out.name, parts, raw, name), encoding="utf-8")
    folders = [word for key in ("root", "tmp") for word in (f"--{key}path", fresh(work / key))]
    steps.run(
        ["genimage", "--config", config, "--inputpath", out.parent, "--outputpath", out.parent, *folders]
    )
    shutil.rmtree(work)


def layout(file: str, parts: Sequence[Part], raw: Sequence[tuple[str, Path, int]], name: str) -> str:
    """What genimage is told."""
    lines = [f'image "{file}" {{', "  hdimage {", '    partition-table-type = "gpt"']
    lines += [f'    disk-uuid = "{identity(name, "disk")}"', "  }"]
    for what, path, at in raw:
        lines += [f'  partition "{what}" {{', "    in-partition-table = false"]
        lines += [f'    image = "{path.resolve()}"', f"    offset = {at}", "  }"]
    offset = f"    offset = {FIRST_MB}M"
    for part in parts:
        lines += [f'  partition "{part.name}" {{', f'    image = "{part.content.resolve()}"']
        lines += [
            f'    partition-type-uuid = "{part.kind}"',
            f'    partition-uuid = "{identity(name, part.name)}"',
        ]
        lines += [f"    size = {round(part.size_mb)}M"] if part.size_mb else []
        lines += [offset, "  }"] if offset else ["  }"]
        offset = ""
    return "\n".join([*lines, "}"]) + "\n"
