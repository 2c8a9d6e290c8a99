"""Talk to the toy through the sound card, until Ctrl-C."""

from __future__ import annotations

import argparse
import importlib
import sys

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.ears import best_ears, with_ears
from epsilon.config.whole import check_pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which board, and who lives in it."""
    parser.add_argument("--board", default="host", help="the board this is (default: host)")
    parser.add_argument("--character", help="who talks (default: the board's own character)")
    parser.add_argument(
        "--ears", metavar="NAME", help="a model of `epsilon models list` (default: the best there is)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Runs until it is interrupted; the conversation is shown on standard output."""
    board = load_board(chosen.board)
    best = best_ears(board)
    board = with_ears(board, chosen.ears) if chosen.ears else best.board
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon.clock import MonotonicClock
    from epsilon.screen import Screen
    from epsilon.toy import Toy, running

    clock = MonotonicClock()
    card = importlib.import_module(f"epsilon.devices.{board.audio.device}").load(board.audio, clock)
    toy = Toy(board, character, card, clock)
    reason = "asked for" if chosen.ears else best.reason
    print(f"ears: {board.stages['asr'].model} ({reason})", file=sys.stderr)
    screen = Screen(sys.stdout, character.name, toy.journal)
    print(f"{character.name} is listening; Ctrl-C ends the conversation.", file=sys.stderr)
    with running(toy):
        while True:
            for news in toy.watch():
                screen.show(news)
