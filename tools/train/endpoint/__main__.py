"""The end-of-turn model from nothing to the shipped files: turns, training, fusion. The same again resumes."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from tools.train.endpoint.export import export
from tools.train.endpoint.speech import make
from tools.train.endpoint.training import Recipe, Training
from tools.train.endpoint.wording import train as train_words


def main() -> None:
    """Skips what an earlier run has finished: shards of turns, the steps before its last checkpoint."""
    options = _options()
    torch.set_num_threads(options.threads)
    turns = options.out / "turns"
    make(turns, options.shards, options.others, options.workers)
    Training(options.out, turns, Recipe(minutes=options.minutes), start=options.start).run()
    options.model.mkdir(parents=True, exist_ok=True)
    train_words(turns, options.model, options.ears)
    export(options.out, options.model)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/train/endpoint"), help="turns, log, checkpoint"
    )
    parser.add_argument(
        "--model", type=Path, default=Path("models/pocket/endpoint"), help="where the model goes"
    )
    parser.add_argument("--shards", type=int, default=240, help="of turns to train on")
    parser.add_argument(
        "--others", type=int, default=4, help="shards to fit the fusion, and as many to score"
    )
    parser.add_argument(
        "--minutes", type=float, default=Recipe.minutes, help="of training, restarts included"
    )
    parser.add_argument("--start", type=Path, help="an exported graph to go on from")
    parser.add_argument("--ears", default="pocket/ears", help="whose words are learned from")
    parser.add_argument("--workers", type=int, default=2, help="processes that make turns")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
