"""The training loop: phases by the clock, checkpoints that can be resumed, a log that can be read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor

from epsilon.engines.tts.symbols import TOKENS
from epsilon.errors import ModelError
from tools.train.voice.adversary import Adversary
from tools.train.voice.batches import Batch, Batches
from tools.train.voice.largest import check as check_largest
from tools.train.voice.losses import Heard, crops, parameters, reading, spectral_distance, weighted
from tools.train.voice.model import Sizes, Voice
from tools.train.voice.plan import Phase, Plan
from tools.train.voice.source import HOP_SAMPLES

_LOG_EVERY_S, _SAVE_EVERY_S, _CHECK_EVERY_S = 15.0, 60.0, 240.0
Losses = dict[str, Tensor]


class Clock:
    """Seconds of training, stopped runs left out, and what is due every so many of them."""

    def __init__(self, elapsed_s: float) -> None:
        self.elapsed_s, self._before = elapsed_s, time.monotonic()
        self._last: dict[str, float] = {}

    def tick(self) -> None:
        """Take note of the time that has passed."""
        now = time.monotonic()
        self.elapsed_s, self._before = self.elapsed_s + now - self._before, now

    def due(self, what: str, every_s: float) -> float:
        """Seconds since `what` was last due if that is now, else 0."""
        since = self.elapsed_s - self._last.setdefault(what, self.elapsed_s)
        if since <= every_s:
            return 0.0
        self._last[what] = self.elapsed_s
        return since


class Trainer:
    """One run. `resume` continues where the last checkpoint of the same folder stopped."""

    def __init__(
        self, plan: Plan, batches: Batches, names: Sequence[str], folder: Path, voice: Voice | None = None
    ) -> None:
        """`names` are the voices in the order of the batches; `voice` is what to go on from, else a random one."""
        torch.manual_seed(plan.seed)
        self.plan, self.batches, self.names, self.folder = plan, batches, list(names), folder
        self.tunes = batches.of_tunes()
        self.voice = voice or Voice(Sizes(len(TOKENS)), len(self.names))
        self.averaged = {name: p.detach().clone() for name, p in self.voice.named_parameters()}
        self.optimizer = torch.optim.AdamW(
            self.voice.parameters(), lr=plan.peak_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.adversary = Adversary()
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.step, self.clock = 0, Clock(0.0)
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Continue from the folder's checkpoint if there is one. Raises ModelError if it is of other voices."""
        path = self.folder / "last.pt"
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["voices"] != self.names:
            raise ModelError(f"is of the voices {state['voices']}, not of {self.names}", where=str(path))
        self.voice.load_state_dict(state["weights"])
        self.averaged = state["averaged"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.adversary.load(state["adversary"])
        self.step, self.clock = state["step"], Clock(state["elapsed_s"])

    def run(self) -> None:
        """Train until the plan's minutes are spent. Raises TooLarge when values come near the end of fp16."""
        sums, frames = dict[str, float](), 0.0
        with (self.folder / "log.jsonl").open("a") as log:
            self._check(log)
            for batch in self._batches():
                for name, value in self._learn(batch).items():
                    sums[name] = sums.get(name, 0.0) + value
                sums["steps"] = sums.get("steps", 0.0) + 1
                frames += float(batch.mask.sum())
                self.clock.tick()
                if since_s := self.clock.due("log", _LOG_EVERY_S):
                    self._report(log, sums, frames / since_s)
                    sums, frames = {}, 0.0
                if self.clock.due("save", _SAVE_EVERY_S):
                    self.save()
                if self.clock.due("check", _CHECK_EVERY_S):
                    self._check(log)
            self.save()
            self._check(log)

    def _batches(self) -> Iterator[Batch]:
        batches = iter(self.batches)
        while self.plan.share(self.clock.elapsed_s) < 1:
            yield next(batches)

    def _learn(self, batch: Batch) -> dict[str, float]:
        """One step; returns what is logged of it."""
        rate = self.plan.rate(self.clock.elapsed_s, self.step)
        phase = self.plan.phase(self.clock.elapsed_s)
        with _quickly():
            losses, heard = parameters(self.voice, batch, jitter=True)
        filters = 1.0 if phase is Phase.PARAMETERS else self.plan.filters_beside_sound
        total = weighted(losses, filters)
        if phase is not Phase.PARAMETERS:
            total = total + self._hear(batch, heard, phase, losses)
        norm = self._descend(total, rate)
        losses["tune"] = self._learn_tunes(rate * self.plan.faster_on_tunes)
        self._average()
        self.step += 1
        return {n: float(loss.detach()) for n, loss in losses.items()} | {"norm": norm, "rate": rate}

    def _descend(self, total: Tensor, rate: float) -> float:
        """One step down; returns the norm of the gradient."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.voice.parameters(), 5.0)
        self.optimizer.step()
        return float(norm)

    def _learn_tunes(self, rate: float) -> Tensor:
        """A step of the text side alone, on tunes: cheap without the decoder, and what takes longest to learn."""
        with _quickly():
            losses, _, _ = reading(self.voice, next(self.tunes))
        self._descend(weighted(losses), rate)
        return losses["f0"]

    def _hear(self, batch: Batch, heard: Heard, phase: Phase, losses: Losses) -> Tensor:
        """The part of the loss that is about the sound; its parts are added to `losses`."""
        ours, theirs = crops(self.voice, batch, heard, self.generator)
        losses["sound"] = spectral_distance(ours, theirs)
        if phase is not Phase.ADVERSARY:
            return losses["sound"]
        part = slice(self.plan.crops_judged), slice(self.plan.frames_judged * HOP_SAMPLES)
        ours, theirs = ours[part], theirs[part]
        losses["judges"] = self.adversary.learn(ours, theirs)
        losses["verdict"], losses["features"] = self.adversary.criticise(ours, theirs)
        plan = self.plan
        return losses["sound"] + plan.verdict * losses["verdict"] + plan.features * losses["features"]

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.plan.average, (self.step + 1) / (self.step + 10))
        ours = list(self.averaged.values())
        torch._foreach_lerp_(ours, [p.detach() for p in self.voice.parameters()], 1 - keep)

    def _report(self, log: TextIO, sums: dict[str, float], frames_per_s: float) -> None:
        steps = sums.pop("steps")
        row: dict[str, Any] = {"phase": self.plan.phase(self.clock.elapsed_s).value, "step": self.step}
        row |= {"elapsed_s": round(self.clock.elapsed_s), "frames_per_s": round(frames_per_s)}
        _write(log, row | {name: round(value / steps, 5) for name, value in sums.items()})

    @torch.no_grad()
    def _check(self, log: TextIO) -> None:
        """The losses of the averaged weights on utterances that are never trained on, and the largest value."""
        judge = Voice(Sizes(len(TOKENS)), len(self.names))
        judge.load_state_dict(self.averaged, strict=False)
        for batch in self.batches.check:
            losses, heard = parameters(judge, batch, jitter=False)
            losses["sound"] = spectral_distance(*crops(judge, batch, heard, torch.Generator().manual_seed(0)))
            row = {"check": self.names[int(batch.voices[0])], "step": self.step}
            _write(log, row | {name: round(float(loss), 5) for name, loss in losses.items()})
        largest = check_largest(judge.eval(), list(judge.styles.weight), self.names)
        _write(log, {"largest": round(largest.value, 1), "where": largest.where, "step": self.step})

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the old one."""
        state = {
            "weights": self.voice.state_dict(),
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state(),
            "step": self.step,
            "elapsed_s": self.clock.elapsed_s,
            "voices": self.names,
            "plan": asdict(self.plan),
        }
        fresh = self.folder / "fresh.pt"
        torch.save(state, fresh)
        fresh.replace(self.folder / "last.pt")


def _quickly() -> torch.autocast:
    """Products of the network in bf16, sums and weights as they are; twice as fast where the processor can."""
    return torch.autocast("cpu", torch.bfloat16)


def _write(log: TextIO, row: dict[str, Any]) -> None:
    log.write(json.dumps(row) + "\n")
    log.flush()
    print(row, flush=True)
