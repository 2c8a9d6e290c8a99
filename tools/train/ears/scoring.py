"""Greedy transcription with the network in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from tools.train.ears import tokens
from tools.train.ears.features import RATE_HZ, log_mel
from tools.train.ears.model import Ears

_BATCH = 32
_LEAD_SAMPLES, _TAIL_SAMPLES = 1600, 8000
_MAX_TOKENS = 48


class _Spoken(Protocol):
    """An utterance: what is said and its int16 samples."""

    @property
    def sentence(self) -> str: ...
    @property
    def samples(self) -> NDArray[np.int16]: ...


@torch.no_grad()
def transcribe(model: Ears, tokenizer: Tokenizer, spoken: Sequence[_Spoken]) -> list[str]:
    """Best token after best token, in batches of like length."""
    order = sorted(range(len(spoken)), key=lambda i: spoken[i].samples.size)
    heard = [""] * len(spoken)
    for first in range(0, len(order), _BATCH):
        places = order[first : first + _BATCH]
        waves = _stack([spoken[i].samples for i in places]).to(model.positions.device)
        found = _greedy(model, log_mel(waves))
        for i, ids in zip(places, found, strict=True):
            heard[i] = tokens.text(tokenizer, ids)
    return heard


def _stack(samples: list[NDArray[np.int16]]) -> Tensor:
    """Silence around each; → [B, samples]."""
    longest = max(s.size for s in samples) + _LEAD_SAMPLES + _TAIL_SAMPLES
    waves = np.zeros((len(samples), min(10 * RATE_HZ, (longest + 639) // 640 * 640)), np.float32)
    for row, wave in zip(waves, samples, strict=True):
        row[_LEAD_SAMPLES : _LEAD_SAMPLES + wave.size] = wave[: row.size - _LEAD_SAMPLES] / 32768
    return torch.from_numpy(waves)


def _greedy(model: Ears, mel: Tensor) -> list[list[int]]:
    sound = model.encode(mel)
    read = torch.full((len(mel), 1), tokens.START, device=mel.device)
    done = torch.zeros(len(mel), dtype=torch.bool, device=mel.device)
    while not done.all() and read.shape[1] <= _MAX_TOKENS:
        best = model.decode(read, sound)[:, -1].float()
        best[:, : tokens.END] = -torch.inf
        following = best.argmax(-1).masked_fill(done, tokens.END)
        read, done = torch.cat([read, following[:, None]], 1), done | (following == tokens.END)
    return [[i for i in row if i > tokens.END] for row in read.tolist()]
