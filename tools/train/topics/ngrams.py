"""Trigrams of a text with interpolated Kneser-Ney smoothing (Chen and Goodman 1998, section 2.7).

Words of a history stand oldest first. A history's words sum to one over the vocabulary and the sentence's end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

START, END = "<s>", "</s>"
History = tuple[str, ...]
ORDER = 3


class LanguageModel(Protocol):
    """What can be mixed with others: see tools.train.topics.mixture."""

    def probability(self, word: str, history: History) -> float:
        """Of `word` after up to two words; of a word that it does not know 0."""

    def seen(self) -> Iterator[tuple[History, str]]:
        """Every history of one or two words with a word that it says more about than a shorter one does."""


class KneserNey:
    """A trigram model of sentences; the words of the vocabulary that the text lacks get a small share."""

    def __init__(self, sentences: Iterable[str], vocabulary: Iterable[str]) -> None:
        self._counts: dict[int, dict[History, Counter[str]]] = {n: defaultdict(Counter) for n in range(ORDER)}
        for sentence in sentences:
            words = [START, *sentence.split(), END]
            for place in range(1, len(words)):
                history = tuple(words[max(0, place - ORDER + 1) : place])
                self._count(history, words[place])
        self._discounts = {n: _discount(self._counts[n].values()) for n in range(ORDER)}
        self._totals = {
            n: {history: counts.total() for history, counts in self._counts[n].items()} for n in range(ORDER)
        }
        self._words = {END, *vocabulary} | set(self._counts[0][()])

    def probability(self, word: str, history: History) -> float:
        if word not in self._words:
            return 0.0
        below = self.probability(word, history[1:]) if history else 1 / len(self._words)
        counts = self._counts[len(history)].get(history)
        if counts is None:
            return below
        total, discount = self._totals[len(history)][history], self._discounts[len(history)]
        return (max(0.0, counts[word] - discount) + discount * len(counts) * below) / total

    def seen(self) -> Iterator[tuple[History, str]]:
        for length in range(1, ORDER):
            for history, counts in self._counts[length].items():
                for word in counts:
                    yield history, word

    def _count(self, history: History, word: str) -> None:
        """Shorter histories count in how many longer ones the word came, not how often it came."""
        while True:
            counts = self._counts[len(history)][history]
            counts[word] += 1
            if not history or counts[word] > 1:
                return
            history = history[1:]


def _discount(histories: Iterable[Counter[str]]) -> float:
    """What is taken off every count: n1 / (n1 + 2 n2)."""
    once = twice = 0
    for counts in histories:
        for count in counts.values():
            once += count == 1
            twice += count == 2
    return once / max(1, once + 2 * twice) or 0.5
