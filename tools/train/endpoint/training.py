"""Trains the network on the shards there are, finding new ones while it runs; goes on where it was stopped."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from epsilon.engines.endpoint.features import SIZE
from tools.train import runs
from tools.train.endpoint import data
from tools.train.endpoint.changes import EARLY, changed, paced, shortened
from tools.train.endpoint.data import Example
from tools.train.endpoint.hearing import WINDOW_MS
from tools.train.endpoint.model import ANSWERS, SOON_S, Endpoint, Shape, from_graph

_JUDGED = (3, 40)  # windows of silence in which the answer counts
_PAUSE_WEIGHT = 2.0  # a window of a pause against one of the end
_SOON_WEIGHT = 0.06  # of the answers about the future
_DRAWN_BATCHES = 12  # sorted by length at once
_KEPT_OF_MEAN = 0.985  # of the mean of the weights over the steps, which is what is judged and exported
_JUDGED_AT = 6  # windows of silence at which ends are told from pauses in the log


@dataclass(frozen=True)
class Recipe:
    """How long and how."""

    minutes: float = 40.0
    peak_rate: float = 2e-3
    batch: int = 64
    warm_up_steps: int = 100
    checkpoint_minutes: float = 3.0
    evaluation_minutes: float = 4.0
    weight_decay: float = 0.02
    seed: int = 1


class Batch(NamedTuple):
    """Rows [B, n, SIZE], wanted answers and their weights [B, n, ANSWERS]."""

    rows: Tensor
    wanted: Tensor
    weights: Tensor


class Training:
    """A run in a folder: checkpoint.pt and log.txt."""

    def __init__(
        self, folder: Path, turns: Path, recipe: Recipe, shape: Shape | None = None, start: Path | None = None
    ) -> None:
        self.folder, self.turns, self.recipe = folder, turns, recipe
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe.seed)
        self.model = from_graph(start) if start else Endpoint(shape or Shape())
        self.mean = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.peak_rate, weight_decay=recipe.weight_decay
        )
        self.step, self.elapsed_s = 0, 0.0
        self.examples, self.names = list[Example](), set[str]()
        self.refresh()
        if self.checkpoint.exists():
            self._resume()
        elif start is None:
            self._measure()
        self.rng = np.random.default_rng(recipe.seed + self.step)
        self._losses, self._drawn = list[float](), list[list[int]]()

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept."""
        return self.folder / "checkpoint.pt"

    def refresh(self) -> None:
        """Take in the shards that are new."""
        for path in sorted(self.turns.glob("train-???.json")):
            if path.stem not in self.names:
                self.names.add(path.stem)
                self.examples += data.read(self.turns, path.stem)

    def run(self) -> None:
        """Trains until the time is over."""
        recipe, last, saved_s, judged_s = self.recipe, time.monotonic(), self.elapsed_s, self.elapsed_s
        parameters = sum(p.numel() for p in self.model.parameters())
        self.log(f"{parameters} parameters, {len(self.examples)} turns, from step {self.step}")
        while self.elapsed_s < recipe.minutes * 60:
            self.learn(self.batch())
            now = time.monotonic()
            self.elapsed_s, last = self.elapsed_s + now - last, now
            if self.elapsed_s - saved_s > recipe.checkpoint_minutes * 60:
                self.refresh()
                self.save()
                saved_s = self.elapsed_s
            if self.elapsed_s - judged_s > recipe.evaluation_minutes * 60:
                self.evaluate()
                judged_s = self.elapsed_s
        self.save()
        self.evaluate()

    def learn(self, batch: Batch) -> float:
        """One step; returns the loss before it."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        loss = loss_of(self.model(batch.rows), batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._average()
        self._losses.append(loss.item())
        return self._losses[-1]

    def _average(self) -> None:
        """Move the mean of the weights; early on it is of few steps."""
        moved = max(1 - _KEPT_OF_MEAN, 1 / (self.step + 1))
        with torch.no_grad():
            for mean, now in zip(self.mean.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, moved)

    def batch(self) -> Batch:
        """Turns drawn at random, of about one length, changed a little."""
        size = self.recipe.batch
        if not self._drawn:
            drawn = self.rng.integers(len(self.examples), size=size * _DRAWN_BATCHES).tolist()
            places = sorted(drawn, key=lambda place: len(self.examples[place].rows))
            self._drawn = [places[i : i + size] for i in range(0, len(places), size)]
            self.rng.shuffle(self._drawn)
        return batched([self.examples[place] for place in self._drawn.pop()], self.rng)

    def evaluate(self) -> None:
        """Loss of the shipped answer on development turns, and how well it tells ends from pauses."""
        parts = [f"step {self.step} rate {self._rate():.1e} {len(self.examples)} turns"]
        parts.append(f"loss {np.mean(self._losses[-400:]):.4f}")
        self._losses = self._losses[-400:]
        self.mean.eval()
        paths = sorted(self.turns.glob("develop-???.json"))
        found = [example for path in paths for example in data.read(self.turns, path.stem)]
        losses, odds = list[float](), list[tuple[float, bool]]()
        for start in range(0, len(found), 100):
            some = found[start : start + 100]
            batch = batched(some)
            with torch.no_grad():
                answers = self.mean(batch.rows)
            losses.append(loss_of(answers, batch, 1).item())
            for example, over in zip(some, answers[..., 0].numpy(), strict=True):
                at = np.flatnonzero(example.silence == _JUDGED_AT)
                odds += [(float(over[place]), bool(example.over[place])) for place in at]
        if found:
            parts.append(f"development {np.mean(losses):.4f}, told apart {told_apart(odds):.3f}")
        self.log(", ".join(parts))

    def save(self) -> None:
        """Writes the checkpoint under its final name only when it is whole."""
        state = {
            "model": self.mean.state_dict(),
            "learning": self.model.state_dict(),
            "shape": asdict(self.model.shape),
            "optimizer": self.optimizer.state_dict(),
            "progress": (self.step, self.elapsed_s),
            "turns": len(self.examples),
        }
        runs.store(state, self.checkpoint)

    def log(self, line: str) -> None:
        """Prints and appends to the run's log."""
        runs.log(self.folder, self.elapsed_s, line)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["learning"])
        self.mean.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed_s = state["progress"]

    def _measure(self) -> None:
        """Mean and spread of the rows, for the network's first layer."""
        rows = np.concatenate([example.rows for example in self.examples[:400]]).astype(np.float32)
        for model in (self.model, self.mean):
            model.mean.copy_(torch.from_numpy(rows.mean(axis=0)))
            model.scale.copy_(torch.from_numpy(1.0 / np.maximum(0.1, rows.std(axis=0))))

    def _rate(self) -> float:
        """Warm-up by steps, then a cosine to nearly zero by the clock."""
        done = min(1.0, self.elapsed_s / (self.recipe.minutes * 60))
        warm = min(1.0, (self.step + 1) / self.recipe.warm_up_steps)
        return self.recipe.peak_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def loss_of(answers: Tensor, batch: Batch, first: int = ANSWERS) -> Tensor:
    """Weighted binary cross-entropy of the first so many answers."""
    losses = F.binary_cross_entropy_with_logits(answers, batch.wanted, reduction="none")
    return (losses * batch.weights)[..., :first].sum() / batch.weights[..., 0].sum()


def batched(examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
    """Padded to the longest; with `rng`, each turn seems said at another pace and heard by another microphone."""
    if rng is not None:
        examples = [shortened(paced(example, rng), rng) for example in examples]
    longest = max(len(example.rows) for example in examples)
    rows = np.zeros((len(examples), longest, SIZE), np.float32)
    wanted, weights = (np.zeros((len(examples), longest, ANSWERS), np.float32) for _ in range(2))
    for place, example in enumerate(examples):
        count = len(example.rows)
        rows[place, :count] = changed(example.rows.astype(np.float32), rng) if rng else example.rows
        wanted[place, :count] = _wanted(example)
        low, high = _JUDGED
        judged = (example.silence >= low) & (example.silence <= high)
        matter = np.where(example.silence <= EARLY, 1.0, 0.4) * np.where(example.over, 1.0, _PAUSE_WEIGHT)
        weights[place, :count, 0] = judged * matter
        weights[place, :count, 1:] = _SOON_WEIGHT * ~example.over[:, None]
    return Batch(*map(torch.from_numpy, (rows, wanted, weights)))


def _wanted(example: Example) -> np.ndarray:
    count, over = len(example.rows), example.over
    end = int(over.argmax()) if over.any() else count
    left_s = (end - np.arange(count)) * WINDOW_MS / 1000
    return np.stack([over, *(left_s <= soon_s for soon_s in SOON_S)], axis=1).astype(np.float32)


def told_apart(odds: Sequence[tuple[float, bool]]) -> float:
    """How often an end has higher log odds than a pause (the area under the curve)."""
    ranked = [over for _, over in sorted(odds)]
    ends, below, wins = sum(ranked), 0, 0
    for over in ranked:
        below += not over
        wins += below * over
    return wins / max(1, ends * (len(ranked) - ends))
