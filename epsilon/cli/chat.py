"""Talk to a character by typing: a line in, a reply out. No ears, no voice.

A line that begins with <other> or <peer> is said by somebody else in the room, or by the other toy of a cast.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.engines.llm.conversation import USER

if TYPE_CHECKING:
    from epsilon.organs import Mind

PROMPT = "you> "
SPEAKER = re.compile(r"(?:<(other|peer)>\s*)?(.*)")
SILENCE = "…"  # the reply of a character who chooses to say nothing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who answers, on which board's settings."""
    parser.add_argument("--board", default="host", help="whose language model is used (default: host)")
    parser.add_argument("--character", help="who answers (default: the board's own character)")


def run(chosen: argparse.Namespace) -> int:
    """Answer every line of standard input until it ends. Without a terminal: one plain line per reply."""
    from epsilon.organs import Mind

    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    mind = Mind(board, character)
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if at_terminal:
        print(f"{character.name}: {character.summary} (end with Ctrl-D)")
    for line in _lines(at_terminal):
        pieces = _answer(mind, line)
        if at_terminal:
            print(f"{character.name}> ", end="", flush=True)
            for piece in pieces:
                print(piece, end="", flush=True)
            print()
        else:
            print(" ".join("".join(pieces).split()) or SILENCE, flush=True)
    return 0


def _answer(mind: Mind, line: str) -> Iterator[str]:
    said = SPEAKER.fullmatch(line)
    assert said is not None  # it fits every line
    return mind.answer(said[2], said[1] or USER)


def _lines(at_terminal: bool) -> Iterator[str]:
    """What is typed, without blank lines."""
    while True:
        if at_terminal:
            print(PROMPT, end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            if at_terminal:
                print()
            return
        if line.strip():
            yield line.strip()
