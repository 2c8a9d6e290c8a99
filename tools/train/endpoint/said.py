"""Words to learn from, each with whether the turn is over behind them: of scripts, and as the ears wrote them.

Scripts are read with mistakes such as ears make. What the ears wrote is of turns whose sound was kept, once as it was
and once by another throat, microphone and noise, which they hear about as badly as voices they never heard.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from epsilon.engines.endpoint.wording import MOST_WORDS, PAUSE, UNKNOWN, with_pauses
from tools.train.endpoint.hearing import pauses
from tools.train.endpoint.listening import heard_turns, marked
from tools.turns.scripts import Writer, written
from tools.turns.worlds import World

SCRIPTS_SEED = 400_000
_LEAST = 5  # times a word must come to have a place of its own
_PLAIN = 0.4  # of the scripts are read without mistakes
_PAUSE_LOST, _PAUSE_FOUND = 0.1, 0.04  # the voice detector misses pauses, and finds some between words


class Said(NamedTuple):
    """Words and pauses, and whether nothing follows."""

    words: list[str]
    over: bool


def of_scripts(count: int, world: World, seed: int = SCRIPTS_SEED) -> Iterator[Said]:
    """What is to be read at the pauses and at the ends of so many scripts."""
    writer = Writer(random.Random(seed), world)
    for _ in range(count):
        text, pauses_at = "", list[int]()
        for part in writer.draw().parts:
            text = f"{text} {part.text}".strip()
            words = written(text).split()
            if part.pause_s:
                yield Said(with_pauses(words, pauses_at), False)
                pauses_at.append(len(words))
        yield Said(with_pauses(words, pauses_at), True)


def of_ears(turns: Path, ears: str, disturbed: bool, kind: str = "train") -> Iterator[Said]:
    """What the ears wrote at the pauses and ends of the shards whose sound was kept."""
    for example, heard in heard_turns(turns, kind, ears, disturbed):
        over = [bool(example.over[end - 1]) for _, end in pauses(example.heard)]
        yield from (Said(words, last) for words, last in zip(marked(heard), over, strict=True) if words)


class Reader:
    """Words to places in a vocabulary, with mistakes."""

    def __init__(self, found: Sequence[Said]) -> None:
        counts = Counter(word for said in found for word in said.words)
        self.vocabulary = [PAUSE, *(w for w, count in counts.items() if count >= _LEAST and w != PAUSE)]
        self._places = {word: place for place, word in enumerate(self.vocabulary, UNKNOWN + 1)}
        weights = np.array([0.0, *(counts[word] ** 0.7 for word in self.vocabulary[1:])])
        self._shares = np.cumsum(weights / weights.sum())

    def places(self, words: Sequence[str]) -> list[int]:
        """As the toy reads them."""
        return [self._places.get(word, UNKNOWN) for word in words][-MOST_WORDS:]

    def misread(self, words: Sequence[str], worst: float, rng: np.random.Generator) -> list[int]:
        """With other words, none or more of them in the place of some, and pauses lost and found."""
        share = 0.0 if rng.random() < _PLAIN else rng.uniform(0, worst)
        found, pause = list[int](), self._places[PAUSE]
        for place in (self._places.get(word, UNKNOWN) for word in words):
            if place == pause:
                found += [] if rng.random() < _PAUSE_LOST else [pause]
                continue
            found += self._mistaken(place, rng) if rng.random() < share else [place]
            found += [pause] if rng.random() < _PAUSE_FOUND else []
        return found[-MOST_WORDS:]

    def _mistaken(self, place: int, rng: np.random.Generator) -> list[int]:
        kind, other = rng.random(), UNKNOWN + 1 + int(np.searchsorted(self._shares, rng.random()))
        if kind < 0.62:
            return [other]
        if kind < 0.72:
            return [UNKNOWN]
        return [] if kind < 0.86 else [place, other]
