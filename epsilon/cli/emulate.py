"""Play recordings into the toy as if somebody spoke, and show the conversation."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from epsilon.config.board import Board, load_board
from epsilon.config.character import Character, load_character
from epsilon.config.ears import with_ears
from epsilon.config.whole import check_pair
from epsilon.errors import AudioFileError, ConfigError
from epsilon.ring import Samples

PACES = ("lockstep", "realtime")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is played, to whom, how fast, and where the account of it goes."""
    parser.add_argument(
        "recordings",
        nargs="+",
        type=Path,
        metavar="IN.wav",
        help="WAV or FLAC, any rate, mono or stereo; each next one begins when the answer has ended. "
        "A folder instead: everything in it, each recording a conversation of its own",
    )
    parser.add_argument("--board", default="host", help="the board that is emulated (default: host)")
    parser.add_argument("--character", help="who answers (default: the board's own character)")
    parser.add_argument(
        "--ears", metavar="NAME", help="a model of `epsilon models list` (default: the board's own)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="a folder for conversation.json, reply.wav, mix.wav, report.html and trace.json (for ui.perfetto.dev)",
    )
    parser.add_argument(
        "--take", type=Path, metavar="DIR", help="keep the conversation in a new folder, for `epsilon replay`"
    )
    parser.add_argument(
        "--pace",
        choices=PACES,
        default="lockstep",
        help="lockstep: as fast as the machine goes, twice alike to the bit (default); "
        "realtime: as from a microphone, which is where TIFU is measured",
    )
    parser.add_argument(
        "--fault",
        action="append",
        metavar="NAME[:KEY=VALUE,…]",
        default=[],
        help="break something on purpose, in lock-step: unplugged, raises:stage=asr,at=2s,for=3s …; "
        "`epsilon check --reference` lists all; may be repeated",
    )
    parser.add_argument(
        "--as",
        dest="pace_of",
        metavar="BOARD",
        help="in lock-step, every stage takes as long as it would on that board, by its cost table",
    )
    many = parser.add_argument_group("for a folder of recordings")
    many.add_argument(
        "--jobs", type=_count, metavar="N", help="recordings played at once (default: one for each core)"
    )
    many.add_argument("--against", type=Path, metavar="DIR", help="say what got worse since that run")
    many.add_argument(
        "--ray", metavar="ADDRESS", help='play on a Ray cluster; "local" starts one on this machine'
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on, not '{text}'")
    return int(text)


def run(chosen: argparse.Namespace) -> int:
    """Every input is read and checked before the first is played; the files appear whole at the end."""
    if chosen.recordings[0].is_dir() and len(chosen.recordings) == 1:
        if chosen.fault or chosen.take or chosen.pace_of:
            raise ConfigError(
                "--fault, --take and --as are for recordings, not for a folder of them", "emulate"
            )
        return _run_folder(chosen)
    if chosen.pace_of and chosen.pace != "lockstep":
        raise ConfigError("a board's pace is kept in lock-step", "--as")
    for name in ("jobs", "against", "ray"):
        if getattr(chosen, name) is not None:
            raise AudioFileError(f"--{name} is for a folder of recordings", str(chosen.recordings[0]))
    from epsilon.audio_files import read_audio

    if chosen.out is not None and chosen.out.exists() and not chosen.out.is_dir():
        raise AudioFileError("is no folder", str(chosen.out), "--out names the folder that the results go to")
    recordings = [read_audio(path) for path in chosen.recordings]
    board = with_ears(load_board(chosen.board), chosen.ears)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)

    if chosen.fault:
        return _run_broken(chosen, board, character, recordings)

    from epsilon.emulation.runner import Emulation
    from epsilon.screen import screen_on

    traced = chosen.out is not None
    pace_of = load_board(chosen.pace_of) if chosen.pace_of else None
    emulation = Emulation(board, character, recordings, chosen.pace, chosen.take, traced, pace_of)
    with screen_on(sys.stdout, character.name, emulation.toy) as screen:
        outcome = emulation.run(screen.show, partial(_say_ready, character.name), screen)
    if chosen.out is not None:
        from epsilon.emulation.report import write_results

        outcome.write(chosen.out)
        write_results(chosen.out, emulation.taken, emulation.trace)
        print(
            f"the answers are in {chosen.out / 'reply.wav'}, all of it to look at in {chosen.out / 'report.html'}",
            file=sys.stderr,
        )
    return 0


def _run_broken(
    chosen: argparse.Namespace, board: Board, character: Character, recordings: list[Samples]
) -> int:
    from epsilon.emulation.broken import BrokenEmulation
    from epsilon.emulation.faults import parse
    from epsilon.screen import screen_on

    if chosen.pace != "lockstep" or chosen.take is not None or chosen.pace_of is not None:
        raise ConfigError("--fault breaks a toy in lock-step, without --take and --as", "--fault")
    emulation = BrokenEmulation(board, character, recordings, [parse(text) for text in chosen.fault])
    with screen_on(sys.stdout, character.name, emulation.lives.toy) as screen:
        outcome = emulation.run(screen, partial(_say_ready, character.name))
    if chosen.out is not None:
        outcome.write(chosen.out)
    return 0


def _say_ready(name: str) -> None:
    print(f"{name} is listening", file=sys.stderr, flush=True)


def _run_folder(chosen: argparse.Namespace) -> int:
    from epsilon.emulation.folder import command
    from epsilon.emulation.folder.job import Setting

    character = chosen.character or load_board(chosen.board).character
    setting = Setting(chosen.board, character, chosen.ears, chosen.pace)
    wish = command.Wish(chosen.recordings[0], setting, chosen.out, chosen.jobs, chosen.against, chosen.ray)
    return command.run(wish, print, partial(print, file=sys.stderr, flush=True))
