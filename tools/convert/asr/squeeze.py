"""Squeezes a recogniser below int8 without data: `python -m tools.convert.asr.squeeze MODEL --out FOLDER`.

MODEL is a checkpoint of the pocket ears (or the folder of their training run) or a Hugging Face Whisper folder. Its
linear layers get few bits and low-rank adapters, which are trained on random input to match the original. The
result runs in the toy's engine on onnxruntime as it is. With `--speech` every stage is then heard on real sentences
and the card has the word error rates.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from epsilon.errors import EpsilonError
from tools.convert.asr.recovery import (
    Recipe,
    held_out_distance,
    recover,
    second_moments,
    squeeze,
    without_adapters,
)
from tools.convert.asr.squeeze_card import Stage, listen, real_speech, time_ratios, write_card
from tools.convert.asr.squeezed_graphs import write_squeezed
from tools.convert.asr.subjects import Subject, open_subject

Tell = Callable[[str], None]
# accuracy_level of encoder and decoder. The decoder's rows must not depend on one another. onnxruntime 1.28 has no
# quick float32 product for 2 bits.
_LEVELS = {2: (4, 4), 3: (0, 4), 4: (0, 4)}


def run(source: Path, out: Path, recipe: Recipe, speech: Path | None, count: int, tell: Tell = print) -> None:
    """Does all of it; `out` is replaced when everything is done."""
    subject = open_subject(source)
    heard = None if speech is None or subject.random else real_speech(speech, count)
    out.parent.mkdir(parents=True, exist_ok=True)
    saved = out.with_name(f"{out.name}.recovery.pt")
    stages: list[Stage] = []
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        whole = Path(scratch, "int8")
        for name, model in _forms(subject, recipe, saved, tell).items():
            folder = Path(scratch, name)
            stages.append(_measured(subject, name, model, recipe, tell))
            _write(subject, model, folder, whole, recipe, tell)
            stages[-1].size = sum(path.stat().st_size for path in folder.iterdir())
            if heard is not None:
                stages[-1].errors = listen(folder, heard)
                tell("; ".join(f"{key} {score}" for key, score in stages[-1].errors.items()))
        ratios = time_ratios(Path(scratch, "recovered"), whole)
        tell(write_card(Path(scratch, "recovered"), source.name, recipe, stages, ratios, subject.random))
        shutil.rmtree(out, ignore_errors=True)
        Path(scratch, "recovered").rename(out)
    tell(f"{out}: {recipe.bits} bits, {stages[-1].size / 1e6:.1f} MB")


def _forms(subject: Subject, recipe: Recipe, saved: Path, tell: Tell) -> dict[str, Any]:
    """The network in every form, the last one recovered."""
    moments = second_moments(subject, recipe.calibration_batches, tell)
    recovered = squeeze(subject.model, moments, recipe)
    forms = {
        "int8": subject.model,
        "original": subject.model,
        "rounded": squeeze(subject.model, moments, recipe, nearest=True),
        "fitted": without_adapters(recovered),
    }
    recover(subject, recovered, recipe, saved, tell)
    return {**forms, "recovered": recovered.requires_grad_(False)}


def _measured(subject: Subject, name: str, model: Any, recipe: Recipe, tell: Tell) -> Stage:
    """How far the form is from the original."""
    if model is subject.model:
        return Stage(name)
    found = held_out_distance(subject, model)
    tell(
        f"{name} against the original on held-out random input: states {found.states:.4f}, tokens "
        f"{found.tokens:.4f}, cosine {found.cosine:.5f}"
    )
    return Stage(name, found)


def _write(subject: Subject, model: Any, folder: Path, whole: Path, recipe: Recipe, tell: Tell) -> None:
    """The form's model folder; what is no graph comes from the int8 one, which is made first."""
    if folder == whole:
        subject.write_int8(folder)
        return
    folder.mkdir()
    if model is subject.model:
        subject.write_graphs(model, folder)
    else:
        write_squeezed(subject, model, _LEVELS[recipe.bits], folder, tell)
    for path in whole.iterdir():
        if path.suffix not in (".onnx", ".md"):
            shutil.copyfile(path, folder / path.name)


def main() -> None:
    """Reads the options and squeezes; exit 2 when that cannot be done."""
    defaults = Recipe()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/convert/squeezed"))
    parser.add_argument("--bits", type=int, choices=sorted(_LEVELS), default=defaults.bits)
    parser.add_argument("--group", type=int, choices=(32, 64, 128), default=defaults.group)
    parser.add_argument(
        "--rank", type=int, default=defaults.rank, help="of the adapters; 4 to 16 are sensible"
    )
    parser.add_argument("--steps", type=int, default=defaults.steps, help="of the adapters' training")
    parser.add_argument("--speech", type=Path, help="folder of shards of real sentences; tools.train.speech")
    parser.add_argument("--count", type=int, default=300, help="utterances of each set of them")
    options = parser.parse_args()
    if options.rank < 0 or options.steps < 0 or options.count < 1:
        parser.error("--rank and --steps are at least 0, --count at least 1")
    torch.set_num_threads(1)
    recipe = Recipe(bits=options.bits, group=options.group, rank=options.rank, steps=options.steps)
    try:
        run(options.model, options.out, recipe, options.speech, options.count)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
