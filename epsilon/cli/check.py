"""Load every board, character and model file and say what is wrong with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from epsilon import duplex, effects
from epsilon.config import folders
from epsilon.config.board import Board, load_board
from epsilon.config.character import Character, load_character
from epsilon.config.ears import best_ears
from epsilon.config.models import read_manifest, verify
from epsilon.config.reference import reference
from epsilon.config.whole import check_pair
from epsilon.errors import EpsilonError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, or the reference of all keys instead."""
    parser.add_argument("--board", help="check this board, its character and its models alone")
    parser.add_argument(
        "--audio", action="store_true", help="measure the board's speaker and microphone anew (default: host)"
    )
    parser.add_argument(
        "--reference", action="store_true", help="print every key with type, range and default"
    )


def run(chosen: argparse.Namespace) -> int:
    """One line for everything that is right; every mistake on standard error and then exit code 2."""
    if chosen.reference:
        _print_reference()
        return 0
    if chosen.audio:
        return _measure(chosen.board or "host")
    said: set[str] = set()  # a broken board spoils whatever is checked on it: it is named once
    for name, check in _checks(chosen.board):
        try:
            check()
            print(f"{name}: good", flush=True)
        except EpsilonError as mistake:
            if str(mistake) not in said:
                print(mistake, file=sys.stderr, flush=True)
            said.add(str(mistake))
    if not said:
        _print_ears([chosen.board] if chosen.board else folders.board_names())
    return 2 if said else 0


def _measure(name: str) -> int:
    """What `epsilon talk` measures when it is started for the first time."""
    from epsilon import audio_check
    from epsilon.clock import MonotonicClock

    board = load_board(name)
    print(audio_check.PLEASE, flush=True)
    found = audio_check.check(board, MonotonicClock())
    print(*duplex.table(found), *duplex.reasons(found), sep="\n")
    print(f"kept in {duplex.keep(board, found)}")
    return 0


def _print_ears(boards: list[str]) -> None:
    for name in boards:
        choice = best_ears(load_board(name))
        print(f"talk on {name} hears with {choice.model} ({choice.reason})")


def _print_reference() -> None:
    print("boards/<name>.yaml")
    print("  extends              another board's name; what is given here replaces what is given there")
    print(*reference(Board), sep="\n")
    print("characters/<name>/character.yaml")
    print(*reference(Character), sep="\n")
    print("the options of each effect")
    for name in folders.loadable_names("effects"):
        effect = effects.module_of(name)
        print(f"  {name:<20} {effects.summary(effect)}")
        print(*reference(effect.Options, depth=2), sep="\n")


def _checks(only: str | None) -> Iterator[tuple[str, Callable[[], object]]]:
    """What there is to check, by name: everything, or what one board needs."""
    boards, characters, models = folders.board_names(), folders.character_names(), list(read_manifest())
    if only is not None:
        board = load_board(only)
        boards, characters = [only], [board.character]
        models = [stage.model for stage in board.stages.values() if stage.model]
    for name in boards:
        yield f"board {name}", partial(load_board, name)
    for name in characters:
        yield f"character {name}", partial(_load_character, name)
    for name in models:
        yield f"model {name}", partial(_verify, name)
    for name in boards:
        for character in characters:
            yield f"{character} on {name}", partial(_check_pair, name, character)
        yield f"engines of {name}", partial(_load_engines, name)


def _load_character(name: str) -> None:
    """The file, and the stored sound of the line for trouble."""
    from epsilon.last_words import trouble_line

    trouble_line(load_character(name))


def _verify(model: str) -> None:
    verify(read_manifest()[model])


def _check_pair(board: str, name: str) -> None:
    """Style and effects, and whether the persona leaves room for a conversation."""
    from epsilon.organs import Mind

    loaded, character = load_board(board), load_character(name)
    check_pair(loaded, character)
    Mind(loaded, character)


def _load_engines(name: str) -> None:
    """Load what the toy would load: a model can be whole and still not be what its engine wants."""
    from epsilon.parts import load_engine

    board = load_board(name)
    for stage, settings in board.stages.items():
        if settings.engine:
            load_engine(board, stage)
