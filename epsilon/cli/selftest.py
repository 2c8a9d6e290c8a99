"""Test this toy as it leaves the factory: memory, models, accelerators, sound, button, light, battery, heat."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TextIO

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.errors import EpsilonError, nearest

FAULTY = 1  # the exit code of a toy that is not as it must be


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which toy this is, and what of it is tested."""
    parser.add_argument("--board", default="host", help="the board this is (default: host)")
    parser.add_argument("--character", help="who lives in it (default: the board's own character)")
    parser.add_argument(
        "--item", action="append", metavar="NAME", help="test this alone; may be given several times"
    )
    parser.add_argument(
        "--silent", action="store_true", help="say nothing aloud; the sound is tested all the same"
    )


def run(chosen: argparse.Namespace) -> int:
    """A line of JSON on standard output for each item and one for the whole; 0 when all is well, else 1."""
    from epsilon import selftest
    from epsilon.clock import MonotonicClock
    from epsilon.selftest.bench import Bench

    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    names = _chosen(chosen.item, selftest.item_names())
    bench = Bench(board, character, MonotonicClock(), partial(_print, sys.stderr), aloud=not chosen.silent)
    return 0 if selftest.run_all(bench, names, partial(_print, sys.stdout)) else FAULTY


def _chosen(wanted: list[str] | None, known: list[str]) -> list[str]:
    for name in wanted or ():
        if name not in known:
            raise EpsilonError(f"no item '{name}'{nearest(name, known)}", "--item")
    return [name for name in known if not wanted or name in wanted]


def _print(stream: TextIO, text: str) -> None:
    print(text, file=stream, flush=True)
