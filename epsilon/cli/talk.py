"""Talk to the toy through the sound card, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.clock import Clock, MonotonicClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.ears import best_ears, with_ears
from epsilon.config.whole import check_pair
from epsilon.devices.lasting import open_lasting
from epsilon.duplex import Acoustics, keep, reasons, recall
from epsilon.errors import AudioFileError

FLUSH_S = 1.0  # so often a take is written on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which board, and who lives in it."""
    parser.add_argument("--board", default="host", help="the board this is (default: host)")
    parser.add_argument("--character", help="who talks (default: the board's own character)")
    parser.add_argument(
        "--ears", metavar="NAME", help="a model of `epsilon models list` (default: the best there is)"
    )

    parser.add_argument(
        "--take",
        type=Path,
        metavar="DIR",
        help="keep sound and conversation in a new folder, for `epsilon replay`; without it no sound is kept",
    )


def run(chosen: argparse.Namespace) -> int:
    """Runs until it is interrupted; the conversation is shown on standard output."""
    board = load_board(chosen.board)
    best = best_ears(board)
    board = with_ears(board, chosen.ears) if chosen.ears else best.board
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon.screen import screen_on
    from epsilon.takes.checks import REALTIME
    from epsilon.takes.recording import Recording, keeping
    from epsilon.toy import Toy, running

    clock = MonotonicClock()
    take = Recording(chosen.take, clock) if chosen.take else None
    card = open_lasting(board.audio, clock)
    acoustics = acoustics_of(board, clock) if card.hears_itself else None
    toy = Toy(board, character, card, take.clock if take else clock, acoustics)
    if take:
        take.attach(toy, REALTIME)
    reason = "asked for" if chosen.ears else best.reason
    print(f"ears: {board.stages['asr'].model} ({reason})", file=sys.stderr)
    with keeping(take), running(toy), screen_on(sys.stdout, character.name, toy) as screen:
        print(f"{character.name} is listening; Ctrl-C ends the conversation.", file=sys.stderr, flush=True)
        while True:
            for news in toy.watch(screen.wait_s(FLUSH_S if take else None)):
                screen.show(news)
            screen.draw()
            if take:
                take.flush()


def acoustics_of(board: Board, clock: Clock) -> Acoustics:
    """How the toy hears itself here: what was measured once, or measured now, at the first start."""
    from epsilon import audio_check

    found = recall(board)
    if found is None:
        print(audio_check.PLEASE, file=sys.stderr, flush=True)
        found = audio_check.check(board, clock)
        try:
            keep(board, found)
        except AudioFileError as refusal:  # it can talk all the same, and measures again next time
            print(refusal, file=sys.stderr)
    print(*reasons(found), sep="\n", file=sys.stderr, flush=True)
    return found
