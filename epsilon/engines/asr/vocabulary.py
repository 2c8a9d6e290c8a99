"""Tokens to words, and which tokens a word is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from epsilon.engines.facts import load_tokenizer


class Vocabulary:
    """A recogniser's tokenizer.json, read for words only."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = load_tokenizer(path)

    def words(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The words that tokens spell; special tokens spell nothing."""
        return tuple(self._tokenizer.decode(list(ids)).split())

    def tokens_of(self, ids: Sequence[int], words: int) -> int:
        """How many tokens at the start of `ids` spell its first `words` words, the longest such run."""
        if words == 0:
            return 0
        count = len(ids)
        while count > 0 and len(self.words(ids[:count])) > words:
            count -= 1
        return count
