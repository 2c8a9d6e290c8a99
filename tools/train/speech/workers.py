"""Speech from several processes at once: evaluation sets first, then training shards."""

from __future__ import annotations

import multiprocessing
import random
from dataclasses import dataclass
from pathlib import Path

from tools.train.speech import shards
from tools.train.speech.synthesis import (
    DEVELOPMENT_SEED,
    is_reserved,
    make_evaluation_sets,
    make_training_shards,
    plain_lines,
    spoken_texts,
)
from tools.train.text.lines import lines_to_characters
from tools.train.text.sentences import load


@dataclass(frozen=True)
class Order:
    """What to make. `sentences` are spoken `times` times instead of the templates."""

    out: Path
    minutes: float = 25.0
    workers: int = 2
    seed: int = 100
    evaluation: int = 100  # utterances in each set to look at while training, 0 for none
    sentences: Path | None = None
    times: int = 1


def make_speech(order: Order) -> int:
    """Returns the number of training utterances made."""
    evaluation = order.out / "evaluation"
    evaluation.mkdir(parents=True, exist_ok=True)
    if order.evaluation:
        for name, utterances in make_evaluation_sets(load(), order.evaluation, DEVELOPMENT_SEED).items():
            shards.write(evaluation / name, utterances)
    with multiprocessing.Pool(order.workers) as pool:
        return sum(pool.starmap(_work, [(order, worker) for worker in range(order.workers)]))


def _work(order: Order, worker: int) -> int:
    seed, seconds = order.seed + worker, order.minutes * 60
    if order.sentences:
        lines = plain_lines(order.sentences.read_text(), load())[worker :: order.workers] * order.times
        return make_training_shards(iter(lines), order.out, f"{order.sentences.stem}-{seed}", seconds, seed)
    sentences = load()
    lines = [line for line in lines_to_characters() if line and not is_reserved(line, sentences)]
    texts = spoken_texts(sentences, lines, random.Random(seed))
    return make_training_shards(texts, order.out, f"templates-{seed}", seconds, seed)
