"""What hearing costs, beside other recognisers: python -m tools.bench.asr [--quick]

Each recogniser is a process of its own; they take turns, and processor time is counted, on one thread. The
checkpoints have the public shapes and RANDOM weights that say twelve words, the same for everybody: times mean
something, words do not. The pocket ears are the real ones, on speech of the voice that ships.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from tools.bench.asr.final_words import final_words
from tools.bench.asr.pocket import pocket
from tools.bench.asr.preparation import checkpoint, peer_forms, peers_environment
from tools.bench.asr.shapes import compare
from tools.bench.asr.sounds import spoken
from tools.bench.peers.environment import NotPrepared, add_python

SHAPES = ("distil-small.en", "tiny.en")
UTTERANCES = 24


def main(arguments: list[str] | None = None) -> int:
    """Prepares, measures and prints; 2 when something could not be prepared."""
    given = _options(arguments)
    board = load_board(given.board)
    goals = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sounds = spoken(board, load_character(board.character), 6 if given.quick else UTTERANCES)
        goals += pocket(board, sounds, folder, given.rounds)
        peers = None
        try:
            if not given.quick:
                peers = given.python or peers_environment(given.folder / "peers-venv")
                for shape in given.shape or SHAPES:
                    checkpoint(peers, given.folder / shape, shape)
                    failed = peer_forms(peers, given.folder / shape)
                    goals += compare(given.folder / shape, peers, failed, folder, given.rounds)
        except NotPrepared as error:
            print(error, file=sys.stderr)
            return 2
        goals += final_words(board, sounds, peers, given.folder / "tiny.en", folder)
    print("\ngoals (median of all rounds, quartiles)")
    for goal in goals:
        print(f"  {goal}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.asr",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the pocket ears alone, about a minute")
    parser.add_argument("--rounds", type=int, default=9, help="runs of each row (default: 9)")
    parser.add_argument("--shape", choices=SHAPES, action="append", help="leave out the others")
    parser.add_argument("--board", default="host")
    add_python(parser)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench/asr"), help="where checkpoints are kept"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
