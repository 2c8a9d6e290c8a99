"""Try out on which cores the models of this board answer soonest, and keep it for the toy."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon import plan
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
from epsilon.errors import ConfigError
from epsilon.state import state_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose seats, and where the plan is kept."""
    parser.add_argument("--board", default="host", help="the board this is (default: host)")
    parser.add_argument("--character", help="who lives in it (default: the board's own character)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where plan.yaml goes (default: the toy's state)"
    )
    parser.add_argument(
        "--tries", type=int, default=6, metavar="N", help="how many are tried out (default: 6)"
    )
    parser.add_argument("--once", action="store_true", help="do nothing where a plan fits this board already")


def run(chosen: argparse.Namespace) -> int:
    """A line for everything that is tried; a plan that somebody pinned is left alone."""
    folder = chosen.out or state_folder()
    path = plan.place(folder)
    board = load_board(chosen.board)
    if chosen.once and plan.fits(board, folder):
        print(f"{path} fits this board")
        return 0
    if path.is_file() and not chosen.once and plan.load(path).pinned:
        raise ConfigError("is pinned", str(path), "`pinned: false` lets it be measured anew")
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon import planner

    tried = planner.plan(board, character, lambda text: print(text, flush=True), max(1, chosen.tries))
    plan.keep(board, tried, folder)
    print(f"best: {tried[0]}")
    print(f"kept in {path}")
    if not tried[0].meets(board):
        print(f"nothing meets the budget of {board.path.name}; this is the nearest", file=sys.stderr)
    return 0
