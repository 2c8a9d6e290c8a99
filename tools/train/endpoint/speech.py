"""Makes the turns to train on: `python -m tools.train.endpoint.speech --shards 20`. Shards that are there stay."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.train.endpoint.data import SHARD_TURNS, make_shard

HEARD_SHARDS = 12  # the voice detector itself hears so many; for more its lag is imagined
OUT = Path("build/train/endpoint/turns")
TRAINING_SEED, DEVELOPMENT_SEED, HELD_OUT_SEED = 100_000, 200_000, 300_000


def main() -> None:
    """Reads the options; development and held-out turns come first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--shards", type=int, default=60, help=f"of {SHARD_TURNS} turns, to train on")
    parser.add_argument(
        "--others", type=int, default=3, help="shards to fit the fusion, and as many to score"
    )
    options = parser.parse_args()
    make(options.out, options.shards, options.others)


def make(out: Path, shards: int, others: int) -> None:
    """All shards: `train-…`, `develop-…` (voices trained on, other turns) and `kept-…` (held-out voices)."""
    for number in range(min(2, shards)):
        make_shard(out, f"train-{number:03}", TRAINING_SEED + number, False, SHARD_TURNS)
    for number in range(others):
        make_shard(
            out, f"develop-{number:03}", DEVELOPMENT_SEED + number, False, SHARD_TURNS, keep_sound=True
        )
        make_shard(out, f"kept-{number:03}", HELD_OUT_SEED + number, True, SHARD_TURNS, keep_sound=True)
    for number in range(2, shards):
        imagined = number >= HEARD_SHARDS
        make_shard(out, f"train-{number:03}", TRAINING_SEED + number, False, SHARD_TURNS, imagined=imagined)


if __name__ == "__main__":
    main()
