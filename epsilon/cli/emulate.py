"""Play recordings into the toy and write down the conversation: conversation.json, reply.wav, mix.wav.

Any WAV or FLAC will do. Several are played one after the other, each when the toy has answered the one before.
In lock-step the run is as fast as the machine and the same each time; in real time the milliseconds are real.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair

PACES = ("lockstep", "realtime")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is played to whom, how fast, and where the outcome goes."""
    parser.add_argument("recordings", nargs="+", type=Path, metavar="IN.wav", help="what the user says")
    parser.add_argument("--board", default="host", help="the board it runs as (default: host)")
    parser.add_argument("--character", help="who answers (default: the board's own character)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the outcome goes (default: out/NAME)")
    parser.add_argument("--pace", choices=PACES, default=PACES[0], help="default: %(default)s")


def run(chosen: argparse.Namespace) -> int:
    """Nothing is written unless the whole conversation went through."""
    from epsilon.audio_files import read_audio

    recordings = [read_audio(path) for path in chosen.recordings]
    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    from epsilon.emulation.runner import Emulation
    from epsilon.screen import Screen

    emulation = Emulation(board, character, recordings, chosen.pace)
    outcome = emulation.run(Screen(sys.stdout, character.name, emulation.toy.journal).show)
    out = chosen.out or Path("out") / chosen.recordings[0].stem
    outcome.write(out)
    print(f"{out}: conversation.json, reply.wav, mix.wav", file=sys.stderr)
    return 0
