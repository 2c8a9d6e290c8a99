"""Trains the pocket ears: `python -m tools.train.ears --minutes 85`; the same again resumes."""

from __future__ import annotations

import argparse
import random
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from tools.train.ears import tokens
from tools.train.ears.training import Recipe, Training
from tools.train.speech.synthesis import training_sentences
from tools.train.text.sentences import load


def main() -> None:
    """Makes the vocabulary if there is none yet, then trains or goes on training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/ears"))
    parser.add_argument("--speech", type=Path, help="folder of shards (default: OUT/speech)")
    parser.add_argument(
        "--minutes", type=float, default=Recipe.minutes, help="of the whole run, restarts included"
    )
    parser.add_argument("--strength", type=float, default=Recipe.strength, help="of the augmentation, 0 … 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision; faster on some CPUs only")
    parser.add_argument("--vocabulary", type=int, default=512)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    vocabulary = options.out / "tokenizer.json"
    if not vocabulary.exists():
        sample = islice(training_sentences(load(), random.Random(0)), 60_000)
        tokens.train(sample, options.vocabulary).save(str(vocabulary))
    recipe = replace(Recipe(), minutes=options.minutes, strength=options.strength, bfloat16=options.bfloat16)
    Training(options.out, options.speech or options.out / "speech", tokens.load(vocabulary), recipe).run()


if __name__ == "__main__":
    main()
