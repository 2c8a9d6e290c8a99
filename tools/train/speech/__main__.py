"""Makes speech to train the ears on: `python -m tools.train.speech --minutes 7`."""

from __future__ import annotations

import argparse
import multiprocessing
import random
from pathlib import Path

from tools.train.speech import shards
from tools.train.speech.synthesis import (
    make_evaluation_sets,
    make_training_shards,
    plain_lines,
    training_sentences,
)
from tools.train.text.sentences import load


def main() -> None:
    """Evaluation sets first, then training shards from as many processes as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/ears/speech"))
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument(
        "--evaluation", type=int, default=300, help="utterances in each evaluation set, 0 for none"
    )
    parser.add_argument("--sentences", type=Path, help="speak these lines instead of the templates")
    parser.add_argument("--times", type=int, default=1, help="how often each line of --sentences is spoken")
    options = parser.parse_args()
    (options.out / "evaluation").mkdir(parents=True, exist_ok=True)
    if options.evaluation:
        for name, utterances in make_evaluation_sets(load(), options.evaluation).items():
            shards.write(options.out / "evaluation" / name, utterances)
    jobs = [
        (
            worker,
            options.workers,
            options.out,
            options.minutes * 60,
            options.seed,
            options.sentences,
            options.times,
        )
        for worker in range(options.workers)
    ]
    with multiprocessing.Pool(options.workers) as pool:
        print(f"{sum(pool.starmap(_work, jobs))} utterances in {options.out}")


def _work(
    worker: int, workers: int, out: Path, seconds: float, seed: int, lines: Path | None, times: int
) -> int:
    if lines:
        texts = iter(plain_lines(lines.read_text(), load())[worker::workers] * times)
        return make_training_shards(texts, out, f"{lines.stem}-{seed + worker}", seconds, seed + worker)
    texts = training_sentences(load(), random.Random(seed + worker))
    return make_training_shards(texts, out, f"templates-{seed + worker}", seconds, seed + worker)


if __name__ == "__main__":
    main()
