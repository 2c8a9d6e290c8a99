"""The training loop of the mind: packed rows, a rate by the clock, checkpoints, a line of log every two minutes."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tools.train import runs
from tools.train.mind.loss import weighted_cross_entropy
from tools.train.mind.model import Mind
from tools.train.mind.muon import Muon

STALL_S = 30.0  # a step never takes so long: what is beyond it, the machine was asleep or the program stopped

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
_FAR = -1e9


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    minutes: float = 120.0
    peak: float = 1.0  # times the rates below; less for a network that has been trained before
    rows_per_step: int = 12
    matrix_rate: float = 0.02
    other_rate: float = 2e-3
    warm_up_steps: int = 60
    falling_share: float = 0.5
    final_share: float = 0.02
    weight_decay: float = 0.02
    seed: int = 1


def batch(rows: Rows, chosen: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Ids [b, t], loss weights [b, t] and the mask that keeps dialogues of one row apart [b, 1, 1, t, t]."""
    tokens = torch.from_numpy(rows[0][chosen].astype(np.int64))
    weights = torch.from_numpy(rows[1][chosen].astype(np.float32))
    number = torch.from_numpy(rows[2][chosen].astype(np.int64))
    same = number[:, :, None] == number[:, None, :]
    seen = same & torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
    mask = torch.zeros(seen.shape).masked_fill_(~seen, _FAR)
    return tokens, weights, mask[:, None, None]


def loss_of(model: Mind, tokens: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """Each position predicts the next id; weights belong to the predicted id."""
    hidden = model(tokens, mask)[:, :-1].flatten(0, 1)
    targets, kept = tokens[:, 1:].flatten(), weights[:, 1:].flatten()
    use = kept > 0
    return weighted_cross_entropy(hidden[use], model.embed_tokens.weight, targets[use], kept[use])


def development_loss(model: Mind, rows: Rows, rows_per_step: int) -> float:
    """Nats per token of the character's replies, over all rows."""
    total, count = 0.0, 0.0
    with torch.no_grad():
        for at in range(0, len(rows[0]), rows_per_step):
            tokens, weights, mask = batch(rows, np.arange(at, min(at + rows_per_step, len(rows[0]))))
            weights = (weights == 1).float()
            total += loss_of(model, tokens, weights, mask).item() * weights[:, 1:].sum().item()
            count += weights[:, 1:].sum().item()
    return total / count


class Trainer:
    """A model with its optimisers; `save` and `load` keep everything that a continued run needs."""

    def __init__(self, model: Mind, plan: Plan, rows: Rows, development: Rows) -> None:
        self.plan, self.rows, self.development = plan, rows, development
        self.model = model
        matrices = [p for p in self.model.layers.parameters() if p.ndim == 2]
        others = [p for p in self.model.parameters() if p.ndim == 1] + [self.model.embed_tokens.weight]
        # Muon needs about half the steps of Adam here.
        self.matrix_optimiser = Muon(matrices, plan.matrix_rate, weight_decay=plan.weight_decay)
        self.other_optimiser = torch.optim.AdamW(
            others, lr=plan.other_rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.step, self.spent_s = 0, 0.0

    def rate(self) -> float:
        """Share of the peak learning rate: warm-up by steps, constant, then a straight line to almost nothing."""
        done = min(1.0, self.spent_s / (60 * self.plan.minutes))
        left = min(1.0, (1 - done) / self.plan.falling_share)
        return (
            min(1.0, (self.step + 1) / self.plan.warm_up_steps)
            * max(left, self.plan.final_share)
            * self.plan.peak
        )

    def one_step(self, chosen: np.ndarray) -> float:
        share = self.rate()
        optimisers = (
            (self.matrix_optimiser, self.plan.matrix_rate),
            (self.other_optimiser, self.plan.other_rate),
        )
        for optimiser, peak in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = peak * share
        loss = loss_of(self.model, *batch(self.rows, chosen))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser, _ in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()

    def chosen(self) -> np.ndarray:
        """Rows of the next step: each epoch is a new order, known from the seed and the step alone."""
        per_epoch = len(self.rows[0]) // self.plan.rows_per_step
        order = np.random.default_rng([self.plan.seed, self.step // per_epoch]).permutation(len(self.rows[0]))
        at = self.step % per_epoch * self.plan.rows_per_step
        return order[at : at + self.plan.rows_per_step]

    def run(self, folder: Path, log_every_s: float = 120.0) -> None:
        """Trains until the planned time is spent; the checkpoint is replaced every log line."""
        logged, losses = self.spent_s, []
        while self.spent_s < 60 * self.plan.minutes:
            began = time.monotonic()
            losses.append(self.one_step(self.chosen()))
            self.spent_s += min(time.monotonic() - began, STALL_S)
            if self.spent_s - logged >= log_every_s:
                self._log(folder, losses)
                logged, losses = self.spent_s, []
        self._log(folder, losses)

    def _log(self, folder: Path, losses: list[float]) -> None:
        development = development_loss(self.model, self.development, self.plan.rows_per_step)
        tokens = self.step * self.plan.rows_per_step * self.rows[0].shape[1]
        row = {
            "minutes": round(self.spent_s / 60, 2),
            "step": self.step,
            "tokens": tokens,
            "loss": round(float(np.mean(losses)), 4) if losses else None,
            "development": round(development, 4),
        }
        with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.save(folder / "checkpoint.pt")

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "matrix": self.matrix_optimiser.state_dict(),
            "other": self.other_optimiser.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "shape": asdict(self.model.shape),
            "plan": asdict(self.plan),
        }
        runs.store(state, path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.matrix_optimiser.load_state_dict(state["matrix"])
        self.other_optimiser.load_state_dict(state["other"])
        self.step, self.spent_s = state["step"], state["spent_s"]
