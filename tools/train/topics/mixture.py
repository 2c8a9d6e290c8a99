"""Two language models mixed into one ARPA file, without the n-grams that hardly change anything.

The file holds the mixed probability of every n-gram that one of the two tells; backoff weights are made so that
each history sums to one. Pruning after Stolcke 1998, with the history's own probability left out of the weight.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

from tools.train.topics.ngrams import ORDER, START, History, LanguageModel

NEVER = -99.0
START_CHANCE = 0.15  # how many of the histories are the start of a sentence
Table = dict[History, dict[str, float]]


class Mixture:
    """share · first + (1 - share) · second, as a model with backoff."""

    def __init__(
        self, first: LanguageModel, second: LanguageModel, share: float, vocabulary: set[str], least: float
    ) -> None:
        """`least`: n-grams that change the expected log probability by less are left out."""
        self._models = ((first, share), (second, 1 - share))
        self._least = least
        self.tables: list[Table] = [{(): {word: self._mixed(word, ()) for word in vocabulary}}]
        self.backoff: dict[History, float] = {}
        told = self._told(vocabulary)
        for length in range(1, ORDER):
            self.tables.append(self._table(self._rooted(told[length])))

    def probability(self, word: str, history: History) -> float:
        """As a decoder reads it from the file."""
        table = self.tables[len(history)].get(history)
        if table and word in table:
            return table[word]
        if not history:
            return 0.0
        return self.backoff.get(history, 1.0) * self.probability(word, history[1:])

    def write(self, path: Path) -> None:
        """The ARPA file."""
        words = sorted(self.tables[0][()])
        rows = [self._rows(table) for table in self.tables]
        with path.open("w", encoding="utf-8") as file:
            counts = [len(words) + 1, *(len(part) for part in rows[1:])]
            file.write("\\data\\\n" + "".join(f"ngram {n}={c}\n" for n, c in enumerate(counts, 1)))
            for order, part in enumerate([[*rows[0], self._row(START, (), 10**NEVER)], *rows[1:]], 1):
                file.write(f"\n\\{order}-grams:\n" + "\n".join(sorted(part, key=_by_words)) + "\n")
            file.write("\n\\end\\\n")

    def _mixed(self, word: str, history: History) -> float:
        return math.fsum(share * model.probability(word, history) for model, share in self._models)

    def _told(self, vocabulary: set[str]) -> dict[int, dict[History, set[str]]]:
        """By length of the history: what one of the models says something about."""
        found: dict[int, dict[History, set[str]]] = {n: defaultdict(set) for n in range(1, ORDER)}
        for model, _ in self._models:
            for history, word in model.seen():
                if word in vocabulary and vocabulary.issuperset(set(history) - {START}):
                    found[len(history)][history].add(word)
        return found

    def _rooted(self, told: dict[History, set[str]]) -> dict[History, set[str]]:
        """Without the n-grams whose first or last words are not in the file themselves."""
        if len(next(iter(told))) == 1:
            return told
        pairs = self.tables[1]
        return {
            history: words & pairs.get(history[1:], {}).keys()
            for history, words in told.items()
            if history[1] in pairs.get(history[:1], {})
        }

    def _table(self, told: dict[History, set[str]]) -> Table:
        """The n-grams of one order that are worth their place, and the backoff weights of their histories."""
        table: Table = {}
        for history, words in told.items():
            mixed = {word: self._mixed(word, history) for word in words}
            below = {word: self.probability(word, history[1:]) for word in words}
            kept = {w: p for w, p in mixed.items() if p * abs(math.log(p / below[w])) > self._worth(history)}
            if kept:
                table[history] = kept
                left = 1 - math.fsum(kept.values())
                self.backoff[history] = max(left, 1e-6) / (1 - math.fsum(below[word] for word in kept))
        return table

    def _worth(self, history: History) -> float:
        """The least change of an n-gram after this history; rare histories must change more."""
        chance = START_CHANCE if history[0] == START else self.tables[0][()][history[0]]
        for place in range(1, len(history)):
            chance *= self.probability(history[place], history[:place])
        return self._least / chance

    def _rows(self, table: Table) -> list[str]:
        return [
            self._row(word, history, probability)
            for history, words in table.items()
            for word, probability in words.items()
        ]

    def _row(self, word: str, history: History, probability: float) -> str:
        row = f"{math.log10(probability):.4f}\t{' '.join([*history, word])}"
        backoff = self.backoff.get((*history, word))
        return row if backoff is None else f"{row}\t{math.log10(backoff):.4f}"


def _by_words(row: str) -> list[str]:
    return row.split("\t")[1].split()
