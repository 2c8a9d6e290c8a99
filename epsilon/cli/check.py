"""Load every board, character and model file and say what is wrong with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Hashable, Iterator
from functools import partial

from epsilon import duplex, effects
from epsilon.config import folders, seating
from epsilon.config.board import Board, StageSettings, load_board
from epsilon.config.character import Character, load_character
from epsilon.config.ears import best_ears
from epsilon.config.machine_checks import models_of
from epsilon.config.models import read_manifest, verify
from epsilon.config.reference import reference
from epsilon.config.whole import check_pair
from epsilon.errors import EpsilonError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, or the reference of all keys instead."""
    parser.add_argument(
        "--board", help="check this board alone and print it: what sits where, memory, what is missing"
    )
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
        _print_boards(chosen.board)
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


def _print_boards(only: str | None) -> None:
    """The one board in full, or of every board what it would hear people with."""
    if only is not None:
        print(*seating.tables(load_board(only)), sep="\n")
    for name in [only] if only else folders.board_names():
        choice = best_ears(load_board(name))
        print(f"talk on {name} hears with {choice.model} ({choice.reason})")


def _print_reference() -> None:
    from epsilon.emulation import faults  # they need a toy, and every other check does without

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
    print("the options of each fault, for `emulate --fault` and scenarios")
    for name in faults.names():
        fault = faults.module_of(name)
        print(f"  {name:<20} {effects.summary(fault)}")
        print(*reference(fault.Options, depth=2), sep="\n")


def _checks(only: str | None) -> Iterator[tuple[str, Callable[[], object]]]:
    """What there is to check, by name: everything, or what one board needs."""
    boards, characters, models = folders.board_names(), folders.character_names(), list(read_manifest())
    if only is not None:
        board = load_board(only)
        boards, characters = [only], [board.character]
        models = list(models_of(board))
    for name in boards:
        yield f"board {name}", partial(load_board, name)
    for name in characters:
        yield f"character {name}", partial(_load_character, name)
    for name in models:
        yield f"model {name}", partial(_verify, name)
    loaded: set[Hashable] = set()  # boards that differ in seats alone load the same
    for name in boards:
        for character in characters:
            yield f"{character} on {name}", partial(_check_pair, name, character, loaded)
        yield f"engines of {name}", partial(_load_engines, name, loaded)


def _load_character(name: str) -> None:
    """The file, and the stored sound of the line for trouble."""
    from epsilon.last_words import trouble_line

    trouble_line(load_character(name))


def _verify(model: str) -> None:
    verify(read_manifest()[model])


def _check_pair(board: str, name: str, loaded: set[Hashable]) -> None:
    """Style and effects, and whether the persona leaves room for a conversation."""
    from epsilon.organs import Mind

    on, character = load_board(board), load_character(name)
    check_pair(on, character)
    llm = on.stages["llm"]
    if _is_new((name, llm.engine, llm.model, llm.runtime), loaded) and not _computes_elsewhere(on, llm):
        Mind(on, character)


def _load_engines(name: str, loaded: set[Hashable]) -> None:
    """Load what the toy would load: a model can be whole and still not be what its engine wants."""
    from epsilon.parts import load_end_of_turn, load_engine

    board = load_board(name)
    for stage, settings in board.stages.items():
        what = (stage, settings.engine, settings.model, settings.runtime, settings.device)
        if settings.engine and not _computes_elsewhere(board, settings) and _is_new(what, loaded):
            load_engine(board, stage)
    if _is_new(("turn", board.turn.engine, board.turn.model, board.turn.runtime), loaded):
        load_end_of_turn(board)


def _is_new(what: Hashable, loaded: set[Hashable]) -> bool:
    """Whether nothing like it was loaded before; from now on it was. What failed to load failed once for all."""
    fresh = what not in loaded
    loaded.add(what)
    return fresh


def _computes_elsewhere(board: Board, settings: StageSettings) -> bool:
    """An accelerator of a board that this machine is not can only be loaded there; it is told as missing."""
    accelerated = bool(settings.npu_cores) or settings.device != "cpu"
    return accelerated and seating.is_elsewhere(board)
