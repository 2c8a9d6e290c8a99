"""Batches of utterances of like length from a folder of shards that may still be growing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tools.train.ears.features import RATE_HZ
from tools.train.ears.tokens import END, START, spelling
from tools.train.speech import shards
from tools.train.speech.shards import Utterance

_CHUNK = 3000  # utterances that are sorted by length together
_BUCKET_JITTER = 4000  # samples: keeps batches from always having the same neighbours
_EMPTY = 400  # utterances of noise in which nothing is said
_IGNORED = -100


@dataclass(frozen=True)
class Targets:
    """What the decoder reads and should say, [B, n], and the letters for CTC, one utterance after another."""

    read: Tensor
    say: Tensor
    letters: Tensor
    lengths: Tensor

    def to(self, device: str) -> Targets:
        """The same there; lengths stay, CTC wants them on the CPU."""
        return Targets(self.read.to(device), self.say.to(device), self.letters.to(device), self.lengths)


class Shelf:
    """All shards of a folder; `refresh` finds those written since."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, seed: int) -> None:
        self._folder, self._tokenizer, self._known = folder, tokenizer, set[Path]()
        self._rng = np.random.default_rng(seed)
        self.utterances: list[Utterance] = []
        self._tokens: list[list[int]] = []
        self._pending = np.zeros(0, int)
        self._put([self._emptiness() for _ in range(_EMPTY)])

    def refresh(self) -> int:
        """Reads new shards and returns how many utterances came."""
        before = len(self.utterances)
        for path in sorted(set(self._folder.glob("*.json")) - self._known):
            self._known.add(path)
            self._put(shards.read(path))
        return len(self.utterances) - before

    def batches(self, frames: int, max_seconds: float) -> Iterator[list[int]]:
        """Endless lists of places in `utterances`: at most `frames` frames of features each."""
        while True:
            self.refresh()
            order = self._next_chunk()
            lengths = np.array([self.utterances[i].samples.size for i in order])
            order, lengths = order[lengths < max_seconds * RATE_HZ], lengths[lengths < max_seconds * RATE_HZ]
            order = order[np.argsort(lengths + self._rng.uniform(0, _BUCKET_JITTER, len(lengths)))]
            found = self._cut(order, frames)
            for k in self._rng.permutation(len(found)):
                yield found[k]

    def targets(self, places: list[int]) -> Targets:
        """Tokens of these utterances, padded."""
        tokens = [self._tokens[i] for i in places]
        longest = max(map(len, tokens)) + 1
        read = torch.zeros(len(tokens), longest, dtype=torch.long)
        say = torch.full((len(tokens), longest), _IGNORED)
        for row, ids in enumerate(tokens):
            read[row, : len(ids) + 1] = torch.tensor([START, *ids])
            say[row, : len(ids) + 1] = torch.tensor([*ids, END])
        spelt = [spelling(self.utterances[i].sentence) for i in places]
        letters = torch.tensor([letter for row in spelt for letter in row], dtype=torch.long)
        return Targets(read, say, letters, torch.tensor([len(row) for row in spelt]))

    def _put(self, utterances: list[Utterance]) -> None:
        places = np.arange(len(self.utterances), len(self.utterances) + len(utterances))
        self.utterances += utterances
        self._tokens += [self._tokenizer.encode(u.sentence).ids for u in utterances]
        self._pending = self._rng.permutation(np.concatenate([self._pending, places]))

    def _next_chunk(self) -> np.ndarray:
        """Every utterance comes once before any comes again."""
        if len(self._pending) < _CHUNK:
            again = self._rng.permutation(len(self.utterances))
            self._pending = np.concatenate([self._pending, again])
        chunk, self._pending = self._pending[:_CHUNK], self._pending[_CHUNK:]
        return chunk

    def _cut(self, order: np.ndarray, frames: int) -> list[list[int]]:
        found: list[list[int]] = [[]]
        for i in order:
            length = self.utterances[i].samples.size // 160 + 50
            if found[-1] and length * (len(found[-1]) + 1) > frames:
                found.append([])
            found[-1].append(int(i))
        return found

    def _emptiness(self) -> Utterance:
        """Noise alone, so that noise alone is not heard as words."""
        count = int(self._rng.uniform(0.5, 3.0) * RATE_HZ)
        spectrum = np.fft.rfft(self._rng.standard_normal(count))
        spectrum /= np.maximum(1, np.arange(len(spectrum))) ** self._rng.uniform(0, 1)
        noise = np.fft.irfft(spectrum, count)
        return Utterance("", "noise", np.asarray(noise / np.abs(noise).max() * 8000, np.int16))
