"""Everyday English in single words and pairs, out of the language model that pocketsphinx carries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pocketsphinx
from pocketsphinx import Config, LogMath, NGramModel

from tools.train.topics.ngrams import END, START, History

MODELS = Path(pocketsphinx.__file__).parent / "model/en-us"
TELLING = 1.5  # pairs that are so many times likelier than chance are told, the others are chance


@dataclass(frozen=True)
class English:
    """A model of pairs; `words` have probabilities that sum to one, `pairs` those after some words."""

    words: dict[str, float]
    pairs: dict[str, dict[str, float]]
    rest: dict[str, float]  # by what the single words' probabilities are multiplied after a word with pairs

    def probability(self, word: str, history: History) -> float:
        """Of `word` after the last word of the history; 0 for a word that it does not know."""
        single = self.words.get(word, 0.0)
        before = history[-1] if history else ""
        if before not in self.pairs:
            return single
        return self.pairs[before].get(word, single * self.rest[before])

    def seen(self) -> Iterator[tuple[History, str]]:
        """Every pair that is told."""
        for before, following in self.pairs.items():
            for word in following:
                yield (before,), word


class Carried:
    """The trigram model in pocketsphinx's wheel, asked for probabilities."""

    def __init__(self, path: Path = MODELS / "en-us.lm.bin") -> None:
        self._log = LogMath()
        self._model = NGramModel(Config(), self._log, str(path))

    def log10(self, word: str, before: str = "") -> float:
        """Of `word` anywhere or after another; far below -99 for a word that it does not know."""
        asked = [word, before] if before else [word]
        return self._log.log_to_log10(self._model.prob(asked))


def load(known: set[str], count: int, heads: int) -> English:
    """The `count` likeliest of the `known` words, and what follows the `heads` likeliest of these."""
    carried = Carried()
    likely = {word: 10 ** carried.log10(word) for word in sorted(known | {END}) if carried.log10(word) > -90}
    kept = sorted(likely.keys() - {END}, key=lambda word: -likely[word])[:count]
    single = _normal({word: likely[word] for word in [*kept, END]})
    pairs, rest = {}, {}
    for before in [START, *kept[:heads]]:
        after = _normal({word: 10 ** carried.log10(word, before) for word in single})
        told = {word: p for word, p in after.items() if p > TELLING * single[word]}
        pairs[before] = told
        rest[before] = (1 - math.fsum(told.values())) / (1 - math.fsum(single[word] for word in told))
    return English(single, pairs, rest)


def _normal(weights: dict[str, float]) -> dict[str, float]:
    total = math.fsum(weights.values())
    return {word: weight / total for word, weight in weights.items()}
