"""Write an image to a disk or memory card, and read it back."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from epsilon import flashing
from epsilon.errors import nearest
from epsilon.flashing import BlockMap, FlashError

ENDS = (".img", ".img.zst")
PERCENT = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is written, and onto what."""
    parser.add_argument(
        "image", type=Path, metavar="IMAGE", help="FILE.img or FILE.img.zst, FILE.bmap beside it"
    )
    parser.add_argument(
        "device", metavar="DEVICE", help="the whole disk: /dev/sdb; all that is on it is lost"
    )
    parser.add_argument(
        "--sure", metavar="NAME", help="the disk's name once more, for scripts; else it is asked for"
    )


def run(chosen: argparse.Namespace) -> int:
    """Nothing is written before the disk's name was said a second time."""
    image: Path = chosen.image
    wanted = flashing.read_map(map_of(image))
    disk = flashing.disk_at(chosen.device)
    flashing.demand_free(disk, wanted.size)
    print(f"{image.name}: {wanted.size / 1e6:.0f} MB, of which {wanted.used / 1e6:.0f} are written")
    if not flashing.demand_whole(image):
        print(
            f"no SHA256SUMS beside {image.name}: only the block map's checksums are compared", file=sys.stderr
        )
    print(disk)
    said = chosen.sure or _ask(f"All that is on it will be lost. Type {disk.name} to write: ")
    if said.removeprefix("/dev/") != disk.name:
        raise FlashError(f"'{said}' is not {disk.name}: nothing was written")
    write(image, map_of(image), Path("/dev") / disk.name)
    check(Path("/dev") / disk.name, wanted)
    print(f"{image.name} is on /dev/{disk.name}, read back and found the same")
    return 0


def map_of(image: Path) -> Path:
    """The block map beside an image; FlashError names the nearest image where there is none."""
    if not image.is_file():
        near = (
            [path.name for end in ENDS for path in image.parent.glob(f"*{end}")]
            if image.parent.is_dir()
            else []
        )
        raise FlashError(f"there is no image '{image}'{nearest(image.name, near)}", hint="make image BOARD=…")
    stem = next((image.name.removesuffix(end) for end in reversed(ENDS) if image.name.endswith(end)), None)
    if stem is None:
        raise FlashError("is no image", str(image), "its name ends with .img or .img.zst")
    return image.with_name(f"{stem}.bmap")


def _ask(question: str) -> str:
    print(question, end="", flush=True)
    return sys.stdin.readline().strip()


def write(image: Path, blocks: Path, device: Path) -> None:
    """By bmaptool, which shows how far it is and compares the map's checksums with the image's as it reads."""
    try:
        done = subprocess.run(["bmaptool", "copy", "--bmap", blocks, image, device])
    except FileNotFoundError as absent:
        raise FlashError("bmaptool is not installed", hint="apt install bmap-tools") from absent
    if done.returncode:
        raise FlashError(
            f"bmaptool ended with code {done.returncode}", str(device), "the disk is half written"
        )


def check(device: Path, wanted: BlockMap) -> None:
    """Read it back, showing how far that is."""
    shown = -1

    def tell(done: int) -> None:
        nonlocal shown
        percent = PERCENT * done // max(wanted.used, 1)
        if percent != shown:
            shown = percent
            print(f"\rreading back: {percent} %", end="", flush=True)

    flashing.verify(device, wanted, tell)
    print()
