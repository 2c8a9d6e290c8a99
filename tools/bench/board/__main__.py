"""How soon would a toy answer on a board that is not here? python -m tools.bench.board [BOARD or SET …]

PREDICTED: takes are played again in lock-step with this machine's engines, while every call takes as long as the cost
table of the board says and shares its cores, accelerators and memory with the calls beside it. What is said and decided
is the pocket models' work, also where a set of tools/bench/board/sets.yaml stands for larger ones.

--measure prints the cost table of this machine, each engine alone. --cores shows whether more small cores beat fewer
fast ones when ears, mind and voice run together: measured here on one core and on two, and predicted for chips.
"""

from __future__ import annotations

import argparse
import sys

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.machine import Cost
from epsilon.solo import costs_of
from tools.bench import count, print_table
from tools.bench.board.cores import show as show_cores
from tools.bench.board.prediction import PARTS, predict
from tools.bench.board.sets import laid_over
from tools.takes import takes

USUAL = ("host", "rk3588", "raspberrypi5", "rk3588-full", "rk3588-full-gpu", "raspberrypi5-full")
UNITS = {"pass_ms": "ms", "second_ms": "ms", "prefill_ms": "ms", "token_ms": "ms", "read_mb": "MB"}


def main(arguments: list[str] | None = None) -> int:
    """Predict, or measure."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.board",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(USUAL)}")
    parser.add_argument("--shifts", type=count, default=4, help="how often each take is played (default: 4)")
    parser.add_argument("--rounds", type=count, default=7, help="of what is measured here (default: 7)")
    parser.add_argument(
        "--measure", action="store_true", help="what each engine costs here, for a board file"
    )
    parser.add_argument("--cores", action="store_true", help="many small cores against few fast ones")
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        measure(chosen.names[0] if chosen.names else "host", chosen.rounds)
    elif chosen.cores:
        show_cores(chosen.rounds, chosen.shifts)
    else:
        show(chosen.names or USUAL, chosen.shifts)
    return 0


def measure(name: str, rounds: int) -> None:
    """The `costs:` of a board file, measured on the machine at hand."""
    board = load_board(name)
    print("costs:")
    for model, cost in costs_of(board, load_character(board.character), rounds).items():
        print(f"  {model}: {{{_entries(cost)}}}")


def _entries(cost: Cost) -> str:
    values = {key: getattr(cost, key) for key in UNITS}
    return ", ".join(
        f"{key.rpartition('_')[0]}: {value:.3g} {UNITS[key]}" for key, value in values.items() if value
    )


def show(names: tuple[str, ...] | list[str], shifts: int) -> None:
    """A row for each board or set."""
    boards = {name: laid_over(name) for name in names}  # every name is good before the first is played
    rows: list[list[object]] = []
    for name, (board, _) in boards.items():
        found = predict(board, takes(), shifts)
        parts = [found.part_ms(part) for part in PARTS]
        row = [name, found.tifu_ms(50), found.tifu_ms(95), *parts, found.ready(50), found.gaps_ms]
        rows.append([*row, found.cut_ins, len(found.answers)])
    parts_head = [part.removesuffix("_ms").replace("_", " ") for part in PARTS]
    print_table(("PREDICTED", "p50", "p95", *parts_head, "ready", "gaps", "cut-ins", "answers"), rows)
    print(
        "milliseconds; parts are means; ready: half of the answers could have sounded by then, wanted or not;"
    )
    print(
        "gaps: silences inside answers, all together; every answer was made by the pocket models on this machine"
    )
    for name, (_, about) in boards.items():
        print(f"  {name}: {about}")


if __name__ == "__main__":
    sys.exit(main())
