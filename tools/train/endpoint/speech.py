"""Makes the turns to train on: `python -m tools.train.endpoint.speech --shards 20`. Shards that are there stay."""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

from tools.train.endpoint.data import SHARD_TURNS, make_shard
from tools.turns.worlds import World

HEARD_SHARDS = 4  # the voice detector itself hears so many; for more its lag is imagined
WORDED_SHARDS = 26  # of so many the sound is kept: the words are learned from what the ears write of it
OUT = Path("build/train/endpoint/turns")
TRAINING_SEED, DEVELOPMENT_SEED, HELD_OUT_SEED = 100_000, 200_000, 300_000


def main() -> None:
    """Reads the options; development and held-out turns come first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--shards", type=int, default=240, help=f"of {SHARD_TURNS} turns, to train on")
    parser.add_argument(
        "--others", type=int, default=3, help="shards to fit the fusion, and as many to score"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args()
    make(options.out, options.shards, options.others, options.workers)


def make(out: Path, shards: int, others: int, workers: int = 1) -> None:
    """All shards: `train-…`, `develop-…` (voices to choose by) and `kept-…` (held-out voices)."""
    orders = list[tuple[str, int, World, bool, bool]]()
    for number in range(others):
        orders.append((f"develop-{number:03}", DEVELOPMENT_SEED + number, World.DEVELOPMENT, True, False))
        orders.append((f"kept-{number:03}", HELD_OUT_SEED + number, World.HELD_OUT, True, False))
    for number in range(shards):
        name, worded, imagined = f"train-{number:03}", number < WORDED_SHARDS, number >= HEARD_SHARDS
        orders.append((name, TRAINING_SEED + number, World.TRAINING, worded, imagined))
    with multiprocessing.Pool(workers) as pool:
        for name, seed, world, keep_sound, imagined in orders:
            pool.apply_async(
                make_shard, (out, name, seed, world, SHARD_TURNS, keep_sound, imagined), error_callback=print
            )
        pool.close()
        pool.join()


if __name__ == "__main__":
    main()
