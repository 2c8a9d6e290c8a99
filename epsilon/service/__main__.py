"""Writes the units of a board below a folder: python -m epsilon.service --board X [--character Y] --into ROOT"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.errors import EpsilonError
from epsilon.service import LINKS, MASKED, UNITS, render

BAD_INPUT = 2


def main() -> int:
    """Write every file and link; says nothing when all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", required=True, help="a file of boards/")
    parser.add_argument("--character", help="who lives in it (default: the board's own character)")
    parser.add_argument("--into", type=Path, required=True, help="the root of the image")
    chosen = parser.parse_args()
    try:
        board = load_board(chosen.board)
        character = load_character(chosen.character or board.character)
    except EpsilonError as mistake:
        sys.stderr.write(f"{mistake}\n")
        return BAD_INPUT
    write(chosen.into, render(board, character.path.parent.name))
    return 0


def write(root: Path, files: dict[str, str]) -> None:
    """Write files by their places below `root`, and the links and masks of every image."""
    for place, text in files.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    masks = {f"etc/systemd/system/{unit}": "/dev/null" for unit in MASKED}
    for place, target in (LINKS | masks).items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    assert (root / UNITS).is_dir()


if __name__ == "__main__":
    sys.exit(main())
