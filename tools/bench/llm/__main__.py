"""What a language model costs, beside other engines: python -m tools.bench.llm [--quick] [--threads 1 2]

One network of RANDOM weights (24 layers of 512, 77 M parameters, of which a token reads 74 M) in everybody's own
4-bit form: times mean something, replies do not. Each engine is a process of its own for each number of threads;
they take turns. Where 4 bits stand in other places the scores differ: `like float32` is the correlation with the
network's own after 32 tokens, and random weights make much of little.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.bench import count
from tools.bench.llm.measuring import Plan, measure
from tools.bench.llm.preparation import checkpoint, own_forms, peer_forms, peers_environment
from tools.bench.llm.report import goals, print_sizes, print_speeds
from tools.bench.peers.environment import NotPrepared, add_python
from tools.convert.llm.random_checkpoint import Sizes

NAME = "random-24x512"


def main(arguments: list[str] | None = None) -> int:
    """Prepares, measures and prints; 2 when something could not be prepared."""
    given = _options(arguments)
    folder = given.folder / NAME
    peers: Path | None = None
    failed: dict[str, str] = {}
    try:
        checkpoint(folder, Sizes())
        failed |= own_forms(folder)
        if not given.quick:
            peers = given.python or peers_environment(given.folder / "peers-venv")
            failed |= peer_forms(peers, folder)
    except NotPrepared as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{NAME}: RANDOM weights, 4 bits", flush=True)
    found = measure(Plan(folder, given.threads, given.rounds, peers), failed)
    print_speeds(found)
    print_sizes(found)
    print("\ngoals: times the best peer's tokens a second (median of all rounds, quartiles)")
    for goal in goals(found):
        print(f"  {goal}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.llm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the toy's own runtimes alone")
    parser.add_argument("--threads", type=count, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--rounds", type=count, default=9, help="runs of each row (default: 9)")
    add_python(parser)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench/llm"), help="where the network is kept"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
