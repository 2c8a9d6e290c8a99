"""Build the image of a board: `python -m tools.image --board qemu-x86 --character bram`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
from epsilon.errors import EpsilonError
from tools.image import apt, base, wheels
from tools.image.base import Base
from tools.image.build import Order, build
from tools.image.steps import Steps, whole

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "build" / "image"
ARCHITECTURES = ("amd64", "arm64")


def main() -> int:
    """Code 2 when something is wanting; then everything else was built."""
    chosen = _parser().parse_args()
    try:
        if chosen.lock:
            _lock(chosen.cache, chosen.sources)
            return 0
        return _build(chosen)
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.image", description=__doc__)
    parser.add_argument("--board", default="qemu-x86", help="a board file with an image (default: qemu-x86)")
    parser.add_argument("--character", help="who lives in it (default: the board's own character)")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="default: build/image")
    parser.add_argument(
        "--cache", type=Path, default=OUT, metavar="DIR", help="what is fetched once (default: build/image)"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        default=ROOT / "build" / "keys",
        metavar="DIR",
        help="who signs updates (default: build/keys)",
    )
    parser.add_argument(
        "--sources", type=Path, metavar="FILE", help="apt's sources for Debian (default: this machine's)"
    )
    parser.add_argument(
        "--overlay",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of files laid over the root",
    )
    parser.add_argument(
        "--effort",
        type=int,
        default=15,
        choices=range(1, 23),
        metavar="1..22",
        help="of compressing the root (default: 15)",
    )
    parser.add_argument(
        "--bundle", action="store_true", help="also a signed update (.raucb) with the same root"
    )
    parser.add_argument(
        "--lock", action="store_true", help="instead: write down the versions and checksums that images use"
    )
    return parser


def _build(chosen: argparse.Namespace) -> int:
    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)
    began_s = time.monotonic()
    overlays = tuple(chosen.overlay)
    order = Order(
        board,
        character,
        chosen.out,
        chosen.cache,
        chosen.keys,
        chosen.sources,
        overlays,
        chosen.bundle,
        chosen.effort,
    )
    made = build(order)
    for path in [*([made.image] if made.image else []), *made.files]:
        print(f"  {path.stat().st_size / 1e6:8.1f} MB  {path}")
    print(f"{time.monotonic() - began_s:.0f} s")
    if made.wanting:
        state = "is incomplete" if made.image else "cannot be made"
        print(f"\nThe image for {board.name} {state} without:", file=sys.stderr)
        print(*(f"  {line}" for line in made.wanting), sep="\n", file=sys.stderr)
    return 2 if made.wanting else 0


def _lock(out: Path, sources: Path | None) -> None:
    """Write the lock files of both architectures anew."""
    steps = Steps(2 * len(ARCHITECTURES), out / "lock.log")
    for architecture in ARCHITECTURES:
        with steps.step(f"wheels for {architecture}"), whole(wheels.lock_path(architecture)) as part:
            part.write_text(wheels.lock(architecture, out, steps), encoding="utf-8")
        with steps.step(f"Debian for {architecture}"), whole(base.lock_path(architecture)) as part:
            plain = Base(architecture, "bookworm")
            tar = base.base_tar(plain, out, apt.sources(plain.suite, chosen=sources), steps)
            part.write_text(base.render_lock(base.installed_in(tar)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
