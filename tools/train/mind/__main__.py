"""Data, vocabulary, training and export of the mind; each step is kept in --out and not repeated."""

import argparse
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from tools.train.mind import generate
from tools.train.mind.model import Mind, Shape
from tools.train.mind.talk import SILENT, Turn
from tools.train.mind.tokens import Encoder, Meanings, learn, pack
from tools.train.mind.training import Plan, Rows, Trainer
from tools.train.mind.warm import settle, warm_mind
from tools.train.text.sentences import load as load_sentences

DIALOGUES, DEVELOPMENT_DIALOGUES = 60_000, 120
DEVELOPMENT_SEED = 2
AGAIN = Plan(peak=0.7, falling_share=0.6)  # for a mind that has been trained before
TEXTS_FOR_VOCABULARY, SENTENCES_FOR_VOCABULARY = 300_000, 40_000


def texts(path: Path, count: int) -> list[str]:
    """The first `count` texts of the dialogues, personas included."""
    found: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        _, persona, turns = json.loads(line)
        found.append(persona)
        for turn in (Turn(*turn) for turn in turns):
            found += [turn.words] if turn.reply in (SILENT, "") else [turn.words, turn.reply]
        if len(found) >= count:
            break
    return found


def sentences(count: int) -> list[str]:
    """What the ears are trained on, so that the vocabulary knows words that no dialogue says."""
    rng, drawn = random.Random(1), load_sentences()
    return [drawn.draw(rng) for _ in range(count)]


def write_user_sentences(path: Path, dialogues: Path) -> None:
    """Every distinct thing that a user says, for whoever makes speech of it."""
    lines = dialogues.read_text(encoding="utf-8").splitlines()
    said = {Turn(*turn).words for line in lines for turn in json.loads(line)[2]}
    path.write_text("\n".join(sorted(said)) + "\n", encoding="utf-8")


def prepare(out: Path, shape: Shape, count: int, seed: int) -> tuple[Rows, Rows]:
    """Dialogues, vocabulary and packed rows, made once."""
    out.mkdir(parents=True, exist_ok=True)
    dialogues, development, vocabulary = (
        out / "dialogues.jsonl",
        out / "development.jsonl",
        out / "tokenizer.json",
    )
    if not dialogues.exists():
        generate.write(dialogues, seed=seed, count=count)
        write_user_sentences(out / "user_sentences.txt", dialogues)
    if not development.exists():
        generate.write(development, seed=DEVELOPMENT_SEED, count=DEVELOPMENT_DIALOGUES)
    if not vocabulary.exists():
        learn(
            texts(dialogues, TEXTS_FOR_VOCABULARY) + sentences(SENTENCES_FOR_VOCABULARY), shape.vocab_size
        ).save(str(vocabulary))
    encoder = Encoder(Tokenizer.from_file(str(vocabulary)))
    meanings = Meanings(out / "meanings.json")
    files = ((out / "rows.npz", dialogues), (out / "dev.npz", development))
    rows, held = (_packed(path, text, encoder, meanings, shape) for path, text in files)
    return rows, held


def _packed(path: Path, dialogues: Path, encoder: Encoder, meanings: Meanings, shape: Shape) -> Rows:
    if not path.exists():
        np.savez(path, *pack(dialogues, encoder, shape.max_position_embeddings, meanings))
    with np.load(path) as stored:
        return tuple(stored[name] for name in stored.files)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.train.mind", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/mind"))
    parser.add_argument("--models", type=Path, default=Path("models/pocket/mind"))
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--from", type=Path, dest="start", help="go on from the mind exported to this folder")
    parser.add_argument("--dialogues", type=int, default=DIALOGUES, help="how many are written")
    parser.add_argument("--peak", type=float, help="of the learning rates, 1 for a mind that begins")
    parser.add_argument("--seed", type=int, default=1, help="of the dialogues")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    shape = Shape()
    if options.start and not (options.out / "tokenizer.json").exists():
        options.out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.start / "tokenizer.json", options.out / "tokenizer.json")
    rows, development = prepare(options.out, shape, options.dialogues, options.seed)
    torch.manual_seed(Plan.seed)
    model = warm_mind(options.start) if options.start else Mind(shape)
    plan = replace(AGAIN if options.start else Plan(), minutes=options.minutes)
    plan = replace(plan, peak=options.peak or plan.peak)
    trainer = Trainer(model, plan, rows, development)
    if (options.out / "checkpoint.pt").exists():
        trainer.load(options.out / "checkpoint.pt")
    trainer.run(options.out)
    settle(trainer.model)
    trainer.save(options.out / "checkpoint.pt")

    from tools.train.mind.export import export

    export(options.out / "checkpoint.pt", options.out / "tokenizer.json", options.models)


if __name__ == "__main__":
    main()
