"""What the image starts: a toy that listens until it is turned off."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from typing import Any

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
from epsilon.plan import recall
from epsilon.service import OFF_CODE
from epsilon.state import State, state_folder

TERMINATED = 128 + signal.SIGTERM


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which board, and who lives in it."""
    parser.add_argument("--board", default="host", help="the board this is (default: host)")
    parser.add_argument("--character", help="who lives in it (default: the board's own character)")
    parser.add_argument(
        "--trouble",
        action="store_true",
        help="show and say that something is wrong, and rest: no slot starts",
    )


def run(chosen: argparse.Namespace) -> int:
    """The code by which the service manager knows that the power is to be turned off."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    signal.signal(signal.SIGTERM, _leave)
    board = recall(load_board(chosen.board), state_folder())
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon.clock import MonotonicClock
    from epsilon.life import Life, runtime_folder
    from epsilon.notify import Supervisor

    supervisor, state = Supervisor.of_environment(), State.open(state_folder())
    life = Life(board, character, MonotonicClock(), state, supervisor)
    if chosen.trouble:
        life.be_in_trouble()
        signal.pause()  # until it is told to end: to start again would not help
    life.live(runtime_folder())
    supervisor.stopping()
    state.close()
    return OFF_CODE


def _leave(number: int, frame: Any) -> None:
    """Whoever started the toy wants it to end: it does so in order."""
    sys.exit(TERMINATED)
