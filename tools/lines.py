"""Records each character's line for trouble in its own voice: `python -m tools.lines`."""

from __future__ import annotations

import argparse

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.last_words import store_trouble_line
from epsilon.organs import Voice


def main() -> None:
    """One line a character."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="host", help="whose voice model is used (default: host)")
    board = load_board(parser.parse_args().board)
    for name in folders.character_names():
        character = load_character(name)
        samples = Voice(board, character).say(character.lines.trouble)
        store_trouble_line(character, samples)
        print(f"{name}: {len(samples) / 16_000:.2f} s: {character.lines.trouble}")


if __name__ == "__main__":
    main()
