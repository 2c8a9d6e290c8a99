"""The pocket voice from nothing to the shipped files: the teacher reads, training, export. The same again resumes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from epsilon.errors import EpsilonError
from tools.train.voice.batches import Batches
from tools.train.voice.corpus import Corpus, build
from tools.train.voice.export import export
from tools.train.voice.flite import VOICES
from tools.train.voice.plan import Plan
from tools.train.voice.prompts import prompts, sources
from tools.train.voice.train import Trainer
from tools.train.voice.warm import warm_voice

HELD_OUT = Path("tools/evaluate/voice_sentences.txt")


def main() -> None:
    """Skips what an earlier run has finished: the corpus of a voice, the minutes before its last checkpoint."""
    options = _options()
    torch.set_num_threads(options.threads)
    corpora = [[corpus_of(voice, options.out / "corpus", options.hours)] for voice in VOICES]
    warm = options.start is not None
    plan = Plan.warm(options.minutes) if warm else Plan(options.minutes)
    batches = Batches(corpora, plan.frames_in_batch, plan.seed)
    try:
        voice = warm_voice(options.start, VOICES) if warm else None
        trainer = Trainer(plan, batches, VOICES, options.out, voice)
        trainer.resume()
        trainer.run()
        export(options.out / "last.pt", options.model)
    except EpsilonError as error:
        sys.exit(f"error: {error}")


def corpus_of(voice: str, folder: Path, hours: float) -> Corpus:
    """What `voice` reads, made on the first call and kept in `folder`."""
    path = folder / f"{voice}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        seed = VOICES.index(voice)
        avoid = HELD_OUT.read_text(encoding="utf-8").splitlines()
        texts = prompts(sources(Path("characters"), seed), avoid, seed)
        build(voice, texts, hours, seed).save(path)
        print(f"{hours} h of {voice} in {path}", flush=True)
    return Corpus.load(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/voice"), help="corpus, log, checkpoint")
    parser.add_argument(
        "--model", type=Path, default=Path("models/pocket/voice"), help="where the model goes"
    )
    parser.add_argument(
        "--hours", type=float, default=2.5, help="of speech from each of the teacher's voices"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, help="folder of a voice to go on from, instead of starting anew"
    )
    parser.add_argument("--minutes", type=float, default=70.0, help="of training, restarts included")
    parser.add_argument("--threads", type=int, default=2, help="of training")
    return parser.parse_args()


if __name__ == "__main__":
    main()
