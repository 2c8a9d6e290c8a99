"""Let simulated users talk to the toy for hours, in lock-step, and see whether anything adds up or wears out."""

from __future__ import annotations

import argparse

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair

FAILED = 1
MOST_HOURS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, and who talks to whom."""
    parser.add_argument("--hours", type=_hours, default=24.0, help="of the toy's time (default: 24)")
    parser.add_argument("--board", default="host", help="the board that is emulated (default: host)")
    parser.add_argument("--character", help="who answers (default: the board's own character)")
    parser.add_argument(
        "--user",
        action="append",
        metavar="NAME",
        help="who comes, one after the other: a persona of epsilon/emulation/users (default: all)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of what they say (default: 1)")


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"hours above 0 and at most {MOST_HOURS}, not '{text}'")
    return hours


def run(chosen: argparse.Namespace) -> int:
    """A row an hour, then what is wrong; 0 when nothing is."""
    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon.emulation import users, verdict
    from epsilon.emulation.soak import Soak

    guests = [users.User(users.load_persona(name), chosen.seed) for name in chosen.user or users.names()]
    soak = Soak(board, character, guests)
    print(f"{character.name} on {board.name}, visited by {', '.join(guest.persona.name for guest in guests)}")
    print(verdict.HEAD, flush=True)
    for number, hour in enumerate(soak.run(chosen.hours), 1):
        print(verdict.line(number, hour), flush=True)
    wrong = list(verdict.faults(soak.hours))
    print(f"memory: {verdict.slope_mb_per_h(soak.hours):+.2f} MB an hour after the warm-up")
    print(*(wrong or ["nothing adds up and nothing wears out"]), sep="\n")
    return FAILED if wrong else 0
