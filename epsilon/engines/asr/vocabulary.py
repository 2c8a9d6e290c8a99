"""Tokens to words, and which tokens a word is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from epsilon.engines.facts import load_tokenizer
from epsilon.engines.wording import spoken


class Vocabulary:
    """A recogniser's tokenizer.json, read for words only: lower case, as said, without punctuation.

    A checkpoint that writes ("It's 10:30, Tom.") is `cased`; what it writes is read as people say it, for the
    mind knows spoken words and two passes must not disagree over a comma.
    """

    def __init__(self, path: Path, cased: bool = False) -> None:
        self._tokenizer, self._cased = load_tokenizer(path), cased

    def words(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The words that tokens spell; special tokens spell nothing."""
        text = str(self._tokenizer.decode(list(ids)))
        return tuple(re.sub(r"[,.?!]", " ", spoken(text)).split() if self._cased else text.split())

    def tokens_of(self, ids: Sequence[int], words: int) -> int:
        """How many tokens at the start of `ids` spell its first `words` words, the longest such run."""
        if words == 0:
            return 0
        count = len(ids)
        while count > 0 and len(self.words(ids[:count])) > words:
            count -= 1
        return count
