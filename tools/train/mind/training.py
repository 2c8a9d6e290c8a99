"""The training loop of the mind: packed rows, a rate by the clock, checkpoints, a line of log every two minutes."""

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tools.train import runs
from tools.train.mind.loss import weighted_cross_entropy
from tools.train.mind.meaning import Meaning, Parts, echoes
from tools.train.mind.model import Mind
from tools.train.mind.muon import Muon
from tools.train.mind.precision import fast_type
from tools.train.mind.warm import Rounded, rounded_products

STALL_S = 30.0  # a step never takes so long: what is beyond it, the machine was asleep or the program stopped

Rows = tuple[np.ndarray, ...]  # as `tokens.pack` makes them
Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
_FAR = -1e9


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    minutes: float = 120.0
    peak: float = 1.0  # times the rates below; less for a network that has been trained before
    rows_per_step: int = 16
    matrix_rate: float = 0.02
    other_rate: float = 2e-3
    warm_up_steps: int = 60
    falling_share: float = 0.5
    final_share: float = 0.02
    weight_decay: float = 0.02
    meaning_weight: float = 0.5  # of the loss on what a turn means; it falls to half of it with the rate
    rounded_share: float = 0.3  # of the time, at the end: Rounded products are rounded
    seed: int = 1


def batch(rows: Rows, chosen: np.ndarray) -> Batch:
    """Ids and weights [b, t], the mask that keeps dialogues of one row apart [b, 1, 1, t, t], meanings [b, t] twice.

    First they stand at the toy's marks, then at the first words of the replies.
    """
    tokens = torch.from_numpy(rows[0][chosen].astype(np.int64))
    weights = torch.from_numpy(rows[1][chosen].astype(np.float32))
    number = torch.from_numpy(rows[2][chosen].astype(np.int64))
    same = number[:, :, None] == number[:, None, :]
    seen = same & torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
    mask = torch.zeros(seen.shape, dtype=fast_type()).masked_fill_(~seen, _FAR)
    meanings = torch.from_numpy(rows[3][chosen].astype(np.int64))
    return tokens, weights, mask[:, None, None], meanings, echoes(tokens, number, meanings)


def loss_of(model: Mind, head: Meaning, given: Batch) -> tuple[Tensor, Tensor, Parts]:
    """Nats per token (of the next id, whose weight counts) and per meaning, with the parts of the latter."""
    tokens, weights, mask, meanings, echoed = given
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast_type() == torch.bfloat16):
        left = model.states(tokens, mask)
        last = model.norm(left[-1])
    hidden, targets, kept = last[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), weights[:, 1:].flatten()
    use = kept > 0
    words = weighted_cross_entropy(hidden[use], model.embed_tokens.weight, targets[use], kept[use])
    parts = head.pick(left, meanings, echoed)
    return words, head.loss(parts), parts


def development(model: Mind, head: Meaning, rows: Rows, rows_per_step: int) -> dict[str, float]:
    """Nats per token of the character's replies, and the shares of meanings that are told right, over all rows."""
    total, count = 0.0, 0.0
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    with torch.no_grad():
        for at in range(0, len(rows[0]), rows_per_step):
            given = batch(rows, np.arange(at, min(at + rows_per_step, len(rows[0]))))
            weights = (given[1] == 1).float()
            words, _, parts = loss_of(model, head, (given[0], weights, *given[2:]))
            total += words.item() * weights[:, 1:].sum().item()
            count += weights[:, 1:].sum().item()
            right.update(head.right(parts))
            asked.update({name: len(labels) for name, (_, labels) in parts.items()})
    shares = {name: round(right[name] / max(number, 1), 4) for name, number in asked.items()}
    return {"development": round(total / count, 4), **shares}


class Trainer:
    """A model with its optimisers; `save` and `load` keep everything that a continued run needs."""

    def __init__(self, model: Mind, plan: Plan, rows: Rows, development: Rows) -> None:
        self.plan, self.rows, self.development = plan, rows, development
        self.model, self.head = model, Meaning(model.shape.hidden_size)
        matrices = [p for p in self.model.layers.parameters() if p.ndim == 2]
        others = [p for p in self.model.parameters() if p.ndim == 1] + [self.model.embed_tokens.weight]
        # Muon needs about half the steps of Adam here.
        self.matrix_optimiser = Muon(matrices, plan.matrix_rate, weight_decay=plan.weight_decay)
        self.other_optimiser = torch.optim.AdamW(
            [*others, self.head.table], lr=plan.other_rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.step, self.spent_s, self.tokens = 0, 0.0, 0

    @property
    def done(self) -> float:
        """Share of the planned time."""
        return min(1.0, self.spent_s / (60 * self.plan.minutes))

    def falling(self) -> float:
        """1, then a straight line to 0 at the end."""
        return min(1.0, (1 - self.done) / self.plan.falling_share)

    def rate(self) -> float:
        """Share of the learning rates: warm-up by steps, constant, then a straight line to almost nothing."""
        warm = min(1.0, (self.step + 1) / self.plan.warm_up_steps)
        return warm * max(self.falling(), self.plan.final_share) * self.plan.peak

    def one_step(self, chosen: np.ndarray) -> float:
        share = self.rate()
        optimisers = (
            (self.matrix_optimiser, self.plan.matrix_rate),
            (self.other_optimiser, self.plan.other_rate),
        )
        for optimiser, peak in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = peak * share
        words, meaning, _ = loss_of(self.model, self.head, batch(self.rows, chosen))
        (words + self.plan.meaning_weight * max(self.falling(), 0.5) * meaning).backward()
        torch.nn.utils.clip_grad_norm_([*self.model.parameters(), self.head.table], 1.0)
        for optimiser, _ in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += len(chosen) * self.rows[0].shape[1]
        return words.item()

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
            self._round()
            began = time.monotonic()
            losses.append(self.one_step(self.chosen()))
            self.spent_s += min(time.monotonic() - began, STALL_S)
            if self.spent_s - logged >= log_every_s:
                self._log(folder, losses)
                logged, losses = self.spent_s, []
        self._log(folder, losses)

    def _round(self) -> None:
        """Near the end, Rounded products begin to be rounded, with scales of their present weights."""
        for part in self._rounded():
            if self.done < 1 - self.plan.rounded_share:
                part.on = False
            elif not part.on:
                part.rescale()

    def _rounded(self) -> list[Rounded]:
        return list(rounded_products(self.model))

    def _log(self, folder: Path, losses: list[float]) -> None:
        found = development(self.model, self.head, self.development, self.plan.rows_per_step)
        row = {
            "minutes": round(self.spent_s / 60, 2),
            "step": self.step,
            "tokens": self.tokens,
            "loss": round(float(np.mean(losses)), 4) if losses else None,
            **found,
        }
        with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.save(folder / "checkpoint.pt")

    def save(self, path: Path) -> None:
        state = {
            "model": {name: p.detach() for name, p in self.model.named_parameters()},
            "scales": [part.scales for part in self._rounded() if part.on],
            "head": self.head.state_dict(),
            "matrix": self.matrix_optimiser.state_dict(),
            "other": self.other_optimiser.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "tokens": self.tokens,
            "shape": asdict(self.model.shape),
            "plan": asdict(self.plan),
        }
        runs.store(state, path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.head.load_state_dict(state["head"])
        for part, scales in zip(self._rounded(), state["scales"], strict=False):
            part.scales, part.on = scales, True
        self.matrix_optimiser.load_state_dict(state["matrix"])
        self.other_optimiser.load_state_dict(state["other"])
        self.step, self.spent_s, self.tokens = state["step"], state["spent_s"], state["tokens"]
