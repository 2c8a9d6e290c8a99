"""The training loop: a wall-clock cosine, checkpoints that can be resumed, a log that can be read.

For the first part of the time the voice learns the teacher's parameters, then also the sound itself: the
first is quick and gets everything into place, the second settles what the parameters do not say (levels,
joins between frames).
"""

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import torch

from epsilon.engines.tts.symbols import TOKENS
from tools.train.voice.batches import Batches
from tools.train.voice.losses import WEIGHTS, parameters, sound
from tools.train.voice.model import Sizes, Voice

_WARM_UP_STEPS = 100
_LOG_EVERY_S, _SAVE_EVERY_S, _CHECK_EVERY_S = 15.0, 60.0, 240.0


@dataclass(frozen=True)
class Plan:
    """How to train. `sound_share` is the last part of the time, in which the sound itself is compared too."""

    minutes: float
    peak_rate: float = 1.5e-3
    frames_in_batch: int = 3200
    sound_share: float = 0.4
    parameters_weight_with_sound: float = 0.5
    average: float = 0.998  # of the weights, the exported ones
    seed: int = 1


class Trainer:
    """One run. `resume` continues where the last checkpoint of the same folder stopped."""

    def __init__(self, plan: Plan, batches: Batches, voices: list[str], folder: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.batches, self.voices, self.folder = plan, batches, voices, folder
        self.voice = Voice(Sizes(len(TOKENS)), len(voices))
        self.averaged = {name: p.detach().clone() for name, p in self.voice.named_parameters()}
        self.optimizer = torch.optim.AdamW(
            self.voice.parameters(), lr=plan.peak_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.step, self.elapsed_s = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Continue from the folder's checkpoint if there is one."""
        path = self.folder / "last.pt"
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.voice.load_state_dict(state["weights"])
        self.averaged = state["averaged"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]

    def run(self) -> None:
        """Train until the plan's minutes are spent (they count across resumed runs)."""
        marks = {"log": self.elapsed_s, "save": self.elapsed_s, "check": self.elapsed_s}
        sums: dict[str, float] = {}
        seen_frames, batch_iterator, before = 0.0, iter(self.batches), time.monotonic()
        with (self.folder / "log.jsonl").open("a") as log:
            while self.elapsed_s < self.plan.minutes * 60:
                batch = next(batch_iterator)
                for name, value in self._learn(batch).items():
                    sums[name] = sums.get(name, 0.0) + value
                sums["steps"] = sums.get("steps", 0.0) + 1
                seen_frames += float(batch.mask.sum())
                now = time.monotonic()
                self.elapsed_s, before = self.elapsed_s + now - before, now
                if self.elapsed_s - marks["log"] > _LOG_EVERY_S:
                    self._report(log, sums, seen_frames / (self.elapsed_s - marks["log"]))
                    sums, seen_frames, marks["log"] = {}, 0.0, self.elapsed_s
                if self.elapsed_s - marks["save"] > _SAVE_EVERY_S:
                    self.save()
                    marks["save"] = self.elapsed_s
                if self.elapsed_s - marks["check"] > _CHECK_EVERY_S:
                    self._check(log)
                    marks["check"] = self.elapsed_s
            self.save()
            self._check(log)

    def _learn(self, batch: Any) -> dict[str, float]:
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses, heard = parameters(self.voice, batch, jitter=True)
        with_sound = self.elapsed_s > (1 - self.plan.sound_share) * self.plan.minutes * 60
        filters = self.plan.parameters_weight_with_sound if with_sound else 1.0
        total = sum(
            (
                WEIGHTS[name] * (filters if name in ("pulse", "noise") else 1.0) * loss
                for name, loss in losses.items()
            ),
            torch.zeros(()),
        )
        if with_sound:
            losses["sound"] = sound(self.voice, batch, heard, self.generator)
            total = total + losses["sound"]
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.voice.parameters(), 5.0)
        self.optimizer.step()
        self._average()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()} | {
            "norm": float(norm),
            "rate": rate,
        }

    def _rate(self) -> float:
        share = min(1.0, self.elapsed_s / (self.plan.minutes * 60))
        warm = min(1.0, (self.step + 1) / _WARM_UP_STEPS)
        return self.plan.peak_rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.plan.average, (self.step + 1) / (self.step + 10))
        ours = list(self.averaged.values())
        torch._foreach_lerp_(ours, [p.detach() for p in self.voice.parameters()], 1 - keep)

    def _report(self, log: TextIO, sums: dict[str, float], frames_per_s: float) -> None:
        steps = sums.pop("steps")
        row = {"step": self.step, "elapsed_s": round(self.elapsed_s), "frames_per_s": round(frames_per_s)}
        _write(log, row | {name: round(value / steps, 5) for name, value in sums.items()})

    @torch.no_grad()
    def _check(self, log: TextIO) -> None:
        """The losses of the averaged weights on utterances that are never trained on."""
        judge = Voice(self.sizes, len(self.voices))
        judge.load_state_dict(self.averaged, strict=False)
        for batch in self.batches.check:
            losses, heard = parameters(judge, batch, jitter=False)
            losses["sound"] = sound(judge, batch, heard, torch.Generator().manual_seed(0))
            row = {"check": self.voices[int(batch.voices[0])], "step": self.step}
            _write(log, row | {name: round(float(loss), 5) for name, loss in losses.items()})

    @property
    def sizes(self) -> Sizes:
        """Widths of the network that is trained."""
        return Sizes(len(TOKENS))

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the old one."""
        state = {
            "weights": self.voice.state_dict(),
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "voices": self.voices,
            "plan": asdict(self.plan),
        }
        fresh = self.folder / "fresh.pt"
        torch.save(state, fresh)
        fresh.replace(self.folder / "last.pt")


def _write(log: TextIO, row: dict[str, Any]) -> None:
    log.write(json.dumps(row) + "\n")
    log.flush()
    print(row, flush=True)
