"""Play a take again, and compare it with what happened then, message by message."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.ears import with_ears
from epsilon.config.units import parse
from epsilon.config.whole import check_pair

if TYPE_CHECKING:
    from epsilon.messages import News
    from epsilon.takes.again import Again
    from epsilon.takes.folder import Take

DIFFERENT = 1
RATE_HZ = 16_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which take, and what is to be the same."""
    parser.add_argument(
        "take", type=Path, metavar="DIR", help="a folder that `--take` of emulate or talk made"
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=_seconds,
        default=0.0,
        metavar="TIME",
        help='begin there, as in "12.5 s": at the last snapshot before it; the first time snapshots are made',
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
    from_s = chosen.begin
    _check_length(take, from_s)
    for news in _from(toy, from_s) if from_s else toy.run():
        if news.time_s - take.header["start_s"] >= from_s:
            screen.show(news)
    if chosen.out is not None:
        write_results(chosen.out, take, trace)
    changed = changes(take, toy.toy)
    verdict = compare(toy.expected, toy.found, by_ring=toy.by_ring)
    print(*verdict_lines(take, verdict, changed), sep="\n", file=sys.stderr)
    alike = verdict.identical or (verdict.difference is None and bool(changed))
    return 0 if alike else DIFFERENT


def _seconds(text: str) -> float:
    try:
        return parse(text, "ms") / 1000
    except ValueError as mistake:
        raise argparse.ArgumentTypeError(f"{mistake}") from mistake


def _check_length(take: Take, from_s: float) -> None:
    from epsilon.takes.checks import TakeError

    length_s = len(take.microphone) / RATE_HZ
    if not 0 <= from_s <= length_s:
        raise TakeError(f"{from_s:g} s is not in it: it is {length_s:.1f} s long", str(take.folder))


def _from(toy: Again, from_s: float) -> Iterator[News]:
    """Begin at the last snapshot before that time; where there is none, make them on the way."""
    from epsilon.takes.snapshot import Snapshots

    snapshots = Snapshots(toy)
    snapshot = snapshots.before(from_s)
    if snapshot is not None:
        snapshots.begin_at(snapshot)
    begun_s = snapshot.at_s if snapshot else 0.0
    print(
        f"begins at {begun_s:.1f} s, {'at a snapshot' if snapshot else 'there is no snapshot yet'}",
        file=sys.stderr,
    )
    return toy.run(snapshots.keep)


def _board(header: dict[str, dict[str, object]], other: str | None) -> Board:
    """The board of the take, with the ears it had."""
    board = load_board(other or str(header["board"]["name"]))
    ears = header["board"].get("ears")
    return with_ears(board, str(ears)) if ears and not other else replace(board)
