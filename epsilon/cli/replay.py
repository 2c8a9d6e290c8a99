"""Play a take again, and compare it with what happened then, message by message."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.ears import with_ears
from epsilon.config.whole import check_pair

DIFFERENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which take, and what is to be the same."""
    parser.add_argument(
        "take", type=Path, metavar="DIR", help="a folder that `--take` of emulate or talk made"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="a folder for report.html and trace.json")
    parser.add_argument(
        "--board", help="another board than the take's: where its accelerators are not at hand"
    )


def run(chosen: argparse.Namespace) -> int:
    """0 when words, decisions and order are the same, 1 when they are not; on the same machine every bit counts."""
    from epsilon.emulation.report import write_results
    from epsilon.emulation.trace import Trace
    from epsilon.screen import Screen
    from epsilon.takes.again import again
    from epsilon.takes.comparison import compare
    from epsilon.takes.folder import read_take
    from epsilon.takes.report import changes, verdict_lines

    take = read_take(chosen.take)
    board = _board(take.header, chosen.board)
    character = load_character(take.header["character"]["name"])
    check_pair(board, character)
    toy = again(take, board, character)
    trace = Trace(toy.toy) if chosen.out else None
    screen = Screen(sys.stdout, character.name, toy.toy.journal)
    for news in toy.run():
        screen.show(news)
    if chosen.out is not None:
        write_results(chosen.out, take, trace)
    changed = changes(take, toy.toy)
    verdict = compare(take.messages, toy.found, by_ring=toy.by_ring)
    print(*verdict_lines(take, verdict, changed), sep="\n", file=sys.stderr)
    alike = verdict.identical or (verdict.difference is None and bool(changed))
    return 0 if alike else DIFFERENT


def _board(header: dict[str, dict[str, object]], other: str | None) -> Board:
    """The board of the take, with the ears it had."""
    board = load_board(other or str(header["board"]["name"]))
    ears = header["board"].get("ears")
    return with_ears(board, str(ears)) if ears and not other else replace(board)
