"""The training loop: CTC and cross-entropy, a learning rate that follows the clock, resumable."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from epsilon.emulation.word_errors import word_error_rate
from tools.train import runs
from tools.train.ears.augment import Augmenter
from tools.train.ears.batches import Shelf, Targets
from tools.train.ears.model import Ears, Shape
from tools.train.ears.scoring import transcribe
from tools.train.speech import shards
from tools.train.speech.shards import Utterance


@dataclass(frozen=True)
class Recipe:
    """What was found to work; see README.md for what did not."""

    minutes: float = 180.0
    peak_rate: float = 1e-3
    warm_up_steps: int = 400
    hold_fraction: float = 0.3  # of the budget, before the cosine begins
    ctc_share: float = 0.5
    batch_frames: int = 4500
    short_steps: int = 600  # first steps, on short utterances without augmentation
    short_seconds: float = 1.9
    strength: float = 0.35  # of augmentation, at the end of the ramp
    first_strength: float = 0.0
    ramp_minutes: tuple[float, float] = (8.0, 60.0)
    checkpoint_minutes: float = 4.0
    evaluation_minutes: float = 15.0
    evaluation_utterances: int = 60
    log_steps: int = 50
    seed: int = 1
    bfloat16: bool = False  # of use only where the machine multiplies it faster than float32; measure
    device: str = "cpu"


def warm(recipe: Recipe) -> Recipe:
    """The recipe for a run that begins with the weights of an earlier one: less rate, strength that falls."""
    return replace(
        recipe,
        peak_rate=7e-4,
        first_strength=0.3,
        strength=0.2,
        ramp_minutes=(0.6 * recipe.minutes, recipe.minutes),
    )


class Training:
    """One run; `elapsed_s` counts over restarts, so the schedule continues where it stopped."""

    def __init__(
        self, folder: Path, speech: Path, tokenizer: Tokenizer, recipe: Recipe, earlier: Path | None = None
    ) -> None:
        """`earlier`: a checkpoint whose weights to begin with, where this run has none of its own yet."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.tokenizer, self.folder, self.speech = recipe, tokenizer, folder, speech
        self.model = Ears(Shape(vocabulary=tokenizer.get_vocab_size())).to(recipe.device)
        self.optimizer = _optimizer(self.model, recipe.peak_rate)
        self.step, self.utterances, self.elapsed_s = 0, 0, 0.0
        if self.checkpoint.exists():
            self._resume(self.checkpoint)
        elif earlier:
            self._resume(earlier)
            self.utterances, self.elapsed_s = 0, 0.0
        self.shelf = Shelf(speech, tokenizer, recipe.seed + self.step)
        self.shelf.refresh()
        pool = [u.samples for u in self.shelf.utterances if u.sentence][:3000]
        self.augment = Augmenter(pool, recipe.seed + self.step, recipe.device)
        self._losses: list[tuple[float, float]] = []

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept."""
        return self.folder / "checkpoint.pt"

    def run(self) -> None:
        """Trains until the time is over."""
        recipe, last, saved_s = self.recipe, time.monotonic(), self.elapsed_s
        parameters = sum(p.numel() for p in self.model.parameters())
        self.log(f"{parameters} parameters, {len(self.shelf.utterances)} utterances, from step {self.step}")
        short = self.shelf.batches(recipe.batch_frames, recipe.short_seconds)
        whole = self.shelf.batches(recipe.batch_frames, 9.3)
        evaluated = int(self.elapsed_s // (recipe.evaluation_minutes * 60))
        while self.elapsed_s < recipe.minutes * 60:
            self.learn(next(short if self.step < recipe.short_steps else whole))
            now = time.monotonic()
            self.elapsed_s, last = self.elapsed_s + now - last, now
            if self.step % recipe.log_steps == 0:
                self._report()
            if self.elapsed_s - saved_s > recipe.checkpoint_minutes * 60:
                self.save()
                saved_s = self.elapsed_s
            if self.elapsed_s // (recipe.evaluation_minutes * 60) > evaluated:
                evaluated += 1
                self.evaluate()
        self.save()
        self.evaluate()

    def log(self, line: str) -> None:
        """Prints and appends to the run's log."""
        runs.log(self.folder, self.elapsed_s, line)

    def save(self) -> None:
        """Writes the checkpoint under its final name only when it is whole."""
        state = {
            "model": self.model.state_dict(),
            "shape": asdict(self.model.shape),
            "optimizer": self.optimizer.state_dict(),
            "progress": (self.step, self.utterances, self.elapsed_s),
        }
        runs.store(state, self.checkpoint)

    def evaluate(self) -> None:
        """Greedy word error rates on the first utterances of each evaluation set."""
        rates = []
        for path in sorted((self.speech / "evaluation").glob("*.json")):
            spoken = shards.read(path)[: self.recipe.evaluation_utterances]
            heard = transcribe(self.model, self.tokenizer, spoken)
            rates.append(f"{path.stem} {word_error_rate([u.sentence for u in spoken], heard):.1f} %")
            self.log(f"  {path.stem}: {spoken[0].sentence!r} heard as {heard[0]!r}")
        self.log("WER " + ", ".join(rates))

    def _resume(self, checkpoint: Path) -> None:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.utterances, self.elapsed_s = state["progress"]

    def _rate(self) -> float:
        """Warm-up by steps, then level, then a cosine to zero by the clock, however busy the machine."""
        recipe = self.recipe
        done = self.elapsed_s / (recipe.minutes * 60)
        falling = min(1.0, max(0.0, (done - recipe.hold_fraction) / (1 - recipe.hold_fraction)))
        warm = min(1.0, (self.step + 1) / recipe.warm_up_steps)
        return recipe.peak_rate * warm * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * falling)))

    def _strength(self) -> float:
        recipe, (first, last) = self.recipe, self.recipe.ramp_minutes
        risen = min(1.0, max(0.0, (self.elapsed_s / 60 - first) / (last - first)))
        return recipe.first_strength + (recipe.strength - recipe.first_strength) * risen

    def learn(self, utterances: list[Utterance]) -> float:
        """One step on these utterances; returns the loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        mel = self.augment([u.samples for u in utterances], self._strength())
        targets = self.shelf.targets(utterances).to(self.recipe.device)
        ctc, attention = losses(self.model, mel, targets, self.recipe.bfloat16)
        share = self.recipe.ctc_share
        torch.autograd.backward(share * ctc + (1 - share) * attention)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._losses.append((ctc.item(), attention.item()))
        self.step, self.utterances = self.step + 1, self.utterances + len(utterances)
        return share * ctc.item() + (1 - share) * attention.item()

    def _report(self) -> None:
        ctc, attention = (sum(column) / len(self._losses) for column in zip(*self._losses, strict=True))
        self._losses = []
        pace = self.utterances / max(1.0, self.elapsed_s)
        self.log(
            f"step {self.step} ctc {ctc:.3f} attention {attention:.3f} rate {self._rate():.2e} "
            f"strength {self._strength():.2f} {self.utterances} utterances {pace:.1f}/s"
            f" of {len(self.shelf.utterances)}"
        )


def losses(model: Ears, mel: Tensor, targets: Targets, bfloat16: bool) -> tuple[Tensor, Tensor]:
    """CTC per letter, times three, and smoothed cross-entropy per token; bfloat16 for the forward pass."""
    with torch.autocast(mel.device.type, torch.bfloat16, enabled=bfloat16):
        sound = model.encode(mel)
        frames, scores = model.spell(sound), model.decode(targets.read, sound)
    log_frames = F.log_softmax(frames.float(), -1).transpose(0, 1)
    widths = torch.full((len(mel),), log_frames.shape[0])
    ctc = F.ctc_loss(
        log_frames, targets.letters, widths, targets.lengths, reduction="sum", zero_infinity=True
    )
    attention = F.cross_entropy(scores.float().flatten(0, 1), targets.say.flatten(), label_smoothing=0.1)
    return 3 * ctc / max(1, int(targets.lengths.sum())), attention


def _optimizer(model: Ears, rate: float) -> torch.optim.Optimizer:
    """AdamW; only matrices decay."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
