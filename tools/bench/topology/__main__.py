"""Depth against width: python -m tools.bench.topology [--quick]

Networks of equal parameter count and different shape, of RANDOM weights, as the toy runs them on onnxruntime, on
one thread: a prefill of 32 tokens and decoded tokens, alone and while ears and voice work in threads beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.parts import seat_of
from epsilon.realtime import Seat, calm_python
from epsilon.runtimes.decoder import Decoder
from tools.bench import count, print_table
from tools.bench.topology import PREFILL
from tools.bench.topology.chain import Chain, longest
from tools.bench.topology.company import company
from tools.bench.topology.held_out import Loss, losses
from tools.bench.topology.picture import Line, Panel, draw
from tools.bench.topology.shapes import BLOCKS, Block, Shape, kept
from tools.bench.topology.timing import Times, load, timed

KINDS = {"prefill": f"prefill of {PREFILL} tokens", "decode": "a decoded token"}
HEAD = (
    *("shape", "inner", "heads", "M", "chain", "products"),
    *("prefill ms", "beside", "CPU", "token ms", "beside", "CPU"),
)


@dataclass(frozen=True)
class Row:
    """A shape: its longest chain of operations, and its times alone and beside ears and voice."""

    shape: Shape
    chain: Chain
    alone: Times
    beside: Times


def main(arguments: list[str] | None = None) -> int:
    """Builds, measures, prints and draws."""
    given = _options(arguments)
    blocks = {name: BLOCKS[name] for name in (["pocket"] if given.quick else BLOCKS)}
    board = load_board(given.board)
    seat = seat_of(board, "llm")
    loaded = {name: _loaded(name, block, given.folder, seat) for name, block in blocks.items()}
    print(f"all are loaded; {given.rounds} rounds", flush=True)
    calm_python()
    seat.take()
    alone = {name: timed(decoders, given.rounds) for name, decoders in loaded.items()}
    with company(board, load_character(board.character)):
        beside = {name: timed(decoders, given.rounds) for name, decoders in loaded.items()}
    found = {
        name: _rows(name, block, given.folder, alone[name], beside[name]) for name, block in blocks.items()
    }
    for name, block in blocks.items():
        print_block(block, found[name], losses())
    draw(given.picture, "RANDOM weights; medians by the clock, one thread", panels(blocks, found))
    print(f"\ndrawn: {given.picture}")
    return 0


def _loaded(name: str, block: Block, folder: Path, seat: Seat) -> dict[str, Decoder]:
    """A block's shapes by their names."""
    return {shape.name: load(kept(folder, name, shape, block.how), seat) for shape in block.shapes}


def _rows(
    name: str, block: Block, folder: Path, alone: Mapping[str, Times], beside: Mapping[str, Times]
) -> list[Row]:
    """What was measured of a block, and the chains of its graphs."""
    found = []
    for shape in block.shapes:
        graph = onnx.load(kept(folder, name, shape, block.how) / "model.onnx").graph
        found.append(Row(shape, longest(graph), alone[shape.name], beside[shape.name]))
    return found


def print_block(block: Block, rows: list[Row], learned: Mapping[str, Loss]) -> None:
    """A row for each shape, and its held-out loss where one is noted."""
    known = any(row.shape.name in learned for row in rows)
    print(f"\n{block.title}; RANDOM weights, one thread, medians")
    print(
        "(beside: while ears and voice work in threads of the same process; CPU: of the mind's thread then)"
    )
    head = (*HEAD, "held-out nats a token") if known else HEAD
    print_table(head, [_cells(row, learned) if known else _cells(row, learned)[:-1] for row in rows])


def _cells(row: Row, learned: Mapping[str, Loss]) -> list[object]:
    shape = row.shape
    heads = f"{shape.heads}/{shape.kv_heads}"
    size = f"{shape.parameters / 1e6:.2f}"
    times = []
    for kind in KINDS:
        times += [
            row.alone.median(f"{kind}_wall"),
            row.beside.median(f"{kind}_wall"),
            row.beside.median(f"{kind}_cpu"),
        ]
    loss = str(learned[shape.name]) if shape.name in learned else None
    cells = [shape.name, shape.inner, heads, size, row.chain.operations, row.chain.products]
    return [*cells, *(f"{value:.2f}" for value in times), loss]


def panels(blocks: Mapping[str, Block], found: Mapping[str, list[Row]]) -> list[list[Panel]]:
    """A row of panels for each block, a panel for each kind of pass."""
    return [[_panel(block, found[name], kind) for kind in KINDS] for name, block in blocks.items()]


def _panel(block: Block, rows: list[Row], kind: str) -> Panel:
    alone = Line("alone", [row.alone.median(f"{kind}_wall") for row in rows])
    beside = Line("beside ears and voice", [row.beside.median(f"{kind}_wall") for row in rows])
    title = f"{block.title.split(',')[0]}: {KINDS[kind]}"
    return Panel(title, [row.shape.name for row in rows], [alone, beside])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.topology",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the pocket mind's shapes alone")
    parser.add_argument("--rounds", type=count, default=15, help="runs of each shape (default: 15)")
    parser.add_argument("--board", default="host")
    parser.add_argument("--picture", type=Path, default=Path("out/topology.svg"))
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench/topology"), help="where graphs are kept"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
