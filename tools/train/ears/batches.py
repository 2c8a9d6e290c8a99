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
from tools.train.ears.nothing import nothing
from tools.train.ears.tokens import END, START, spelling
from tools.train.speech import shards
from tools.train.speech.shards import Utterance

_CHUNK = 3000  # utterances that are sorted by length together
_BUCKET_JITTER = 4000  # samples: keeps batches from always having the same neighbours
_EMPTY = 1500  # sounds in which nothing is said
_LONG_GROUPS = 220  # of a chunk: two to four utterances said one after another
_LONGEST_SAMPLES = int(9.2 * RATE_HZ)
_LONGEST_TOKENS = 61
_GAP_S = (0.05, 0.4)
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
        self._pending = np.zeros(0, int)
        self._put([Utterance("", "nothing", nothing(self._rng)) for _ in range(_EMPTY)])

    def refresh(self) -> int:
        """Reads new shards and returns how many utterances came."""
        before = len(self.utterances)
        for path in sorted(set(self._folder.glob("*.json")) - self._known):
            self._known.add(path)
            self._put(shards.read(path))
        return len(self.utterances) - before

    def batches(self, frames: int, max_seconds: float) -> Iterator[list[Utterance]]:
        """Endless lists of utterances: at most `frames` frames of features each."""
        while True:
            self.refresh()
            chunk = self._with_long_ones([self.utterances[i] for i in self._next_chunk()])
            chunk = [u for u in chunk if u.samples.size < max_seconds * RATE_HZ]
            lengths = np.array([u.samples.size for u in chunk])
            order = np.argsort(lengths + self._rng.uniform(0, _BUCKET_JITTER, len(lengths)))
            found = self._cut([chunk[i] for i in order], frames)
            for k in self._rng.permutation(len(found)):
                yield found[k]

    def targets(self, utterances: list[Utterance]) -> Targets:
        """Tokens of these utterances, padded."""
        tokens = [self._tokenizer.encode(u.sentence).ids for u in utterances]
        longest = max(map(len, tokens)) + 1
        read = torch.zeros(len(tokens), longest, dtype=torch.long)
        say = torch.full((len(tokens), longest), _IGNORED)
        for row, ids in enumerate(tokens):
            read[row, : len(ids) + 1] = torch.tensor([START, *ids])
            say[row, : len(ids) + 1] = torch.tensor([*ids, END])
        spelt = [spelling(u.sentence) for u in utterances]
        letters = torch.tensor([letter for row in spelt for letter in row], dtype=torch.long)
        return Targets(read, say, letters, torch.tensor([len(row) for row in spelt]))

    def _put(self, utterances: list[Utterance]) -> None:
        places = np.arange(len(self.utterances), len(self.utterances) + len(utterances))
        self.utterances += utterances
        self._pending = self._rng.permutation(np.concatenate([self._pending, places]))

    def _next_chunk(self) -> np.ndarray:
        """Every utterance comes once before any comes again."""
        if len(self._pending) < _CHUNK:
            again = self._rng.permutation(len(self.utterances))
            self._pending = np.concatenate([self._pending, again])
        chunk, self._pending = self._pending[:_CHUNK], self._pending[_CHUNK:]
        return chunk

    def _with_long_ones(self, chunk: list[Utterance]) -> list[Utterance]:
        """Some of them as one: people say several sentences in a breath. Mostly by one voice."""
        rows = sorted(chunk, key=lambda u: u.voice) if self._rng.random() < 0.7 else chunk
        firsts = sorted(self._rng.choice(len(rows) // 4, min(_LONG_GROUPS, len(rows) // 8), replace=False))
        found, taken = list[Utterance](), set[int]()
        for first in firsts:
            places = range(4 * first, 4 * first + int(self._rng.integers(2, 5)))
            parts = [rows[i] for i in places]
            long = shards.joined(parts, list(self._rng.uniform(*_GAP_S, len(parts) - 1)))
            if long.samples.size > _LONGEST_SAMPLES or not all(part.sentence for part in parts):
                continue
            if len(self._tokenizer.encode(long.sentence).ids) <= _LONGEST_TOKENS:
                found.append(long)
                taken.update(places)
        return [u for i, u in enumerate(rows) if i not in taken] + found

    def _cut(self, utterances: list[Utterance], frames: int) -> list[list[Utterance]]:
        found: list[list[Utterance]] = [[]]
        for utterance in utterances:
            length = utterance.samples.size // 160 + 50
            if found[-1] and length * (len(found[-1]) + 1) > frames:
                found.append([])
            found[-1].append(utterance)
        return found
