"""The pocket ears from nothing to the shipped files: speech, training, export. The same again resumes."""

from __future__ import annotations

import argparse
import random
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from tools.train.ears import tokens
from tools.train.ears.export import export
from tools.train.ears.training import Recipe, Training, warm
from tools.train.speech.synthesis import training_sentences
from tools.train.speech.workers import Order, make_speech
from tools.train.text.sentences import load


def main() -> None:
    """Skips what an earlier run has finished: speech, vocabulary, the steps before its last checkpoint."""
    options = _options()
    torch.set_num_threads(options.threads)
    speech = options.out / "speech"
    finished = speech / "finished"
    if not finished.exists():  # shards of a run that was stopped are written again under the same names
        order = Order(speech, options.speech_minutes, options.workers)
        print(f"{make_speech(order)} utterances in {speech}")
        finished.touch()
    if options.sentences and not any(speech.glob(f"{options.sentences.stem}-*.json")):
        order = Order(speech, 60, options.workers, seed=500, evaluation=0, sentences=options.sentences)
        print(f"{make_speech(order)} utterances of {options.sentences}")
    vocabulary = options.out / "tokenizer.json"
    if options.earlier and not vocabulary.exists():
        shutil.copyfile(options.earlier.with_name("tokenizer.json"), vocabulary)
    if not vocabulary.exists():
        sample = islice(training_sentences(load(), random.Random(0)), 60_000)
        tokens.train(sample, options.vocabulary).save(str(vocabulary))
    Training(options.out, speech, tokens.load(vocabulary), _recipe(options), options.earlier).run()
    export(options.out, options.model)


def _recipe(options: argparse.Namespace) -> Recipe:
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: torch finds no such device here")
    recipe = replace(
        Recipe(),
        minutes=options.minutes,
        checkpoint_minutes=options.save_minutes,
        bfloat16=options.bfloat16,
        device=device,
    )
    recipe = warm(recipe) if options.earlier else recipe
    return recipe if options.strength is None else replace(recipe, strength=options.strength)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/ears"), help="speech, log, checkpoint")
    parser.add_argument("--model", type=Path, default=Path("models/pocket/ears"), help="where the model goes")
    parser.add_argument("--speech-minutes", type=float, default=Order.minutes, help="of synthesis")
    parser.add_argument("--workers", type=int, default=Order.workers, help="processes that synthesise")
    parser.add_argument("--sentences", type=Path, help="further lines to speak, such as those of the mind")
    parser.add_argument(
        "--minutes", type=float, default=Recipe.minutes, help="of training, restarts included"
    )
    parser.add_argument(
        "--from", type=Path, dest="earlier", help="checkpoint of an earlier run to begin with"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=2, help="of training")
    parser.add_argument(
        "--save-minutes", type=float, default=Recipe.checkpoint_minutes, help="between checkpoints"
    )
    parser.add_argument("--strength", type=float, help="of augmentation at the end, 0 … 1")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision; faster on some CPUs only")
    parser.add_argument("--vocabulary", type=int, default=512)
    return parser.parse_args()


if __name__ == "__main__":
    main()
