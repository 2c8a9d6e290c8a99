"""Speak a text in a character's voice into a WAV file: the toy's voice alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
from epsilon.errors import EpsilonError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is said, by whom, and where the sound goes."""
    parser.add_argument("text", help="what to say")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE.wav", help="where the sound goes"
    )
    parser.add_argument("--board", default="host", help="whose voice model is used (default: host)")
    parser.add_argument("--character", help="who speaks (default: the board's own character)")


def run(chosen: argparse.Namespace) -> int:
    """Writes the file whole or not at all."""
    from epsilon.audio_files import write_wav
    from epsilon.organs import Voice

    if not chosen.text.strip():
        raise EpsilonError("there is nothing to say: the text is empty")
    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)
    samples = Voice(board, character).say(chosen.text)
    write_wav(chosen.out, samples)
    print(f"{chosen.out}: {len(samples) / 16_000:.2f} s", file=sys.stderr)
    return 0
