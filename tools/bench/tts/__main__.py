"""When a voice's first sound leaves, and how fast the rest follows: python -m tools.bench.tts [--quick]

One phrase of twelve words, everybody on one core and one thread, taking turns; medians. CPU time is what an idle core
would take by the clock. The pocket voice says it in chunks and, for comparison, with its one graph. A Kokoro of RANDOM
weights (the published sizes, 82 M parameters, exported by the published code) is said as it is fetched, in windows as
tools.convert.voice makes them, and by kokoro-onnx: times mean something, what is heard does not. The toy cuts a reply
before it is spoken: `first piece` is the first sound of what it would cut off first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.models import find_model
from epsilon.engines.tts import phonemes
from epsilon.engines.tts.ipa import from_arpabet
from epsilon.errors import EpsilonError
from tools.bench import count, print_table
from tools.bench.peers.comparison import Goal
from tools.bench.peers.environment import NotPrepared, add_python
from tools.bench.tts import ALL, FIRST, FIRST_PIECE, ONE_SHOT, PHRASE, RUNTIMES
from tools.bench.tts.measuring import CLOCKS, Clock, Measured, Plan, Row, Voice, measure, median
from tools.bench.tts.preparation import kokoro, peers_environment

POCKET, WINDOWS, PUBLISHED = "pocket", "Kokoro RANDOM in windows", "Kokoro RANDOM as fetched"

LONGEST_REMARK = 60


def main(arguments: list[str] | None = None) -> int:
    """Prepares, measures and prints; 2 when something could not be prepared."""
    given = _options(arguments)
    try:
        found = measure(_plan(given))
    except (NotPrepared, EpsilonError) as error:
        print(error, file=sys.stderr)
        return 2
    print_rows(found)
    print("\ngoals (median of all rounds, quartiles)")
    for goal in goals(found):
        print(f"  {goal}")
    return 0


def print_rows(found: Measured) -> None:
    """A row for each voice, by both clocks; with what is the peer's the toy's rows can be compared."""
    rows = [*found.rows, *([found.peer] if found.peer else [])]
    head = (
        "voice",
        "one-shot",
        "first sound",
        "of one-shot",
        "first piece",
        "all",
        "times real time",
        "remark",
    )
    for clock, words in CLOCKS.items():
        print(f"\n“{PHRASE}”: one core, ms {words}")
        print_table(head, [_cells(row, clock) for row in rows])


def _cells(row: Row, clock: Clock) -> list[object]:
    ratio, factor = median(row.ratios(FIRST, ONE_SHOT, clock)), median(row.real_time_factors(clock))
    one_shot, first, piece, whole = (
        median(row.took_ms(task, clock)) for task in (ONE_SHOT, FIRST, FIRST_PIECE, ALL)
    )
    return [
        row.name,
        one_shot,
        first,
        "-" if ratio is None else f"{100 * ratio:.0f} %",
        piece,
        whole,
        "-" if factor is None else f"{factor:.3f}",
        _remark(row),
    ]


def _remark(row: Row) -> str:
    """Why there are no numbers: the end of it, where it is long."""
    why = row.why_not
    short = why if len(why) <= LONGEST_REMARK else f"… {why[-LONGEST_REMARK:]}"
    return f"not measured: {short}" if why else ""


def goals(found: Measured) -> Iterator[Goal]:
    """The promises that can be looked at, by both clocks."""
    for clock, words in CLOCKS.items():
        for runtime in RUNTIMES:
            yield from _goals(found, runtime, clock, words)


def _goals(found: Measured, runtime: str, clock: Clock, words: str) -> Iterator[Goal]:
    row = found.row(f"{POCKET}, {runtime}")
    beside = found.row(f"{POCKET}, {runtime}, beside ears and mind")
    if row is not None:
        yield Goal(f"{row.name}, first sound / one-shot, {words}", row.ratios(FIRST, ONE_SHOT, clock), 0.15)
        yield Goal(f"{row.name}, first sound in ms, {words}", row.took_ms(FIRST, clock), 60)
        yield Goal(f"{row.name}, time / sound, {words}", row.real_time_factors(clock), 0.1)
    if beside is not None:
        yield Goal(f"{beside.name}, time / sound, {words}", beside.real_time_factors(clock), 0.2)
    own = found.row(f"{WINDOWS}, {runtime}")
    if own is not None and found.peer is not None:
        pairs = zip(found.peer.took_ms(FIRST, clock), own.took_ms(FIRST_PIECE, clock), strict=False)
        what = f"kokoro-onnx / {own.name}, first sound, {words}"
        yield Goal(what, [theirs / ours for theirs, ours in pairs], 5, at_least=True)


def _plan(given: argparse.Namespace) -> Plan:
    board = load_board(given.board)
    pocket = find_model(board.stages["tts"].model or "")
    voices = [
        Voice(f"{POCKET}, {runtime}", pocket.folder, pocket.engine, runtime, beside=True)
        for runtime in given.runtimes
    ]
    peer = None
    if not given.quick:
        python = given.python or peers_environment(given.folder / "peers-venv")
        published, cut = kokoro(given.folder, python)
        for runtime in given.runtimes:
            windows = Voice(f"{WINDOWS}, {runtime}", cut, "kokoro", runtime, tasks=(FIRST, ALL, FIRST_PIECE))
            fetched = Voice(
                f"{PUBLISHED}, {runtime}", published, "kokoro", runtime, tasks=(FIRST, FIRST_PIECE)
            )
            voices += [windows, fetched]
        spelt = from_arpabet(phonemes.spell(PHRASE), PHRASE).symbols
        peer = (python, published, "".join(spelt).strip("$"))
    cores = sorted(os.sched_getaffinity(0))
    other = cores[0] if len(cores) > 1 else None
    return Plan(voices, given.folder, given.rounds, (cores[-1], other), given.board, peer)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.tts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the toy's own voice alone")
    parser.add_argument("--rounds", type=count, default=9, help="runs of each row (default: 9)")
    parser.add_argument("--board", default="host", help="whose voice, ears and mind (default: host)")
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    add_python(parser)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/tts"), help="where things are kept")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
