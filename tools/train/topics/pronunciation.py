"""How words are pronounced, in the phones of pocketsphinx's acoustic model, as its dictionary format has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from epsilon.engines.tts.lexicon import Lexicon
from tools.train.topics.english import MODELS

_VARIANT = re.compile(r"\(\d+\)$")


class Dictionary:
    """CMUdict as pocketsphinx's wheel carries it; what it lacks is put together from its parts or guessed."""

    def __init__(self, path: Path = MODELS / "cmudict-en-us.dict") -> None:
        self.entries: dict[str, list[str]] = {}
        for line in path.read_text("utf-8").splitlines():
            word, _, phones = line.partition(" ")
            self.entries.setdefault(_VARIANT.sub("", word), []).append(phones.strip())
        self._lexicon = Lexicon()

    def variants(self, word: str) -> list[str]:
        """Every pronunciation of the word, the commonest first."""
        if word in self.entries:
            return self.entries[word]
        stem, apostrophe, ending = word.partition("'")
        if apostrophe and ending == "s":
            return [f"{phones} {_plural(phones)}" for phones in self.variants(stem)]
        sounds = self._lexicon.find(word) or self._lexicon.guess(word)
        return [" ".join(re.sub(r"\d", "", sound) for sound in sounds)]


def write(path: Path, words: Iterable[str], dictionary: Dictionary) -> None:
    """The dictionary of some words; further pronunciations are word(2), word(3) …"""
    rows = []
    for word in sorted(words):
        for number, phones in enumerate(dictionary.variants(word), 1):
            rows.append(f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _plural(phones: str) -> str:
    """What an s sounds like after these phones."""
    last = phones.split()[-1]
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return "IH Z"
    return "S" if last in ("P", "T", "K", "F", "TH") else "Z"
