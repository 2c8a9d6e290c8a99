"""Drop-in replacements of words and phrases (`thesaurus.yaml`): one written line becomes many."""

import random
import re
from collections.abc import Mapping
from itertools import pairwise

# Lines about words themselves, where another word would be another question, and sums told in words.
_ABOUT_WORDS = re.compile(
    r"\b(what does .+ mean|means|spell|spelling|rhymes?|letters?|syllables?|repeat after|say after|word|opposite|"
    r"together)\b"
)
_ARTICLES = ("a", "an")
_SOUNDS_LIKE_A_VOWEL = re.compile(r"(?!uni|use|eu|one|once)[aeiou]|hour|honest|heir")
LONGEST = 8  # words of a key

Others = Mapping[str, list[str]]


def reworded(line: str, others: Others, rng: random.Random) -> str:
    """An unfilled line with one place or two in other words; as it is when nothing fits."""
    if _ABOUT_WORDS.search(line) and "$adj" not in line:
        return line
    words = line.split()
    places = _fitting(words, others)
    rng.shuffle(places)
    for start, end, key in sorted(places[: rng.choice((1, 1, 2, 3))], reverse=True):
        words[start:end] = rng.choice(others[key]).split()
    return " ".join(_articles(words)) if places else line


def _fitting(words: list[str], others: Others) -> list[tuple[int, int, str]]:
    """Where keys stand, as start, end and key: the longest first, none inside another."""
    found: list[tuple[int, int, str]] = []
    for size in range(min(LONGEST, len(words)), 0, -1):
        for at in range(len(words) - size + 1):
            key = " ".join(words[at : at + size])
            if key in others and not any(start < at + size and at < end for start, end, _ in found):
                found.append((at, at + size, key))
    return found


def _articles(words: list[str]) -> list[str]:
    """`a` and `an` as the word behind them wants it; before a slot they are put right when it is filled."""
    right = list(words)
    for at, (word, behind) in enumerate(pairwise(words)):
        if word in _ARTICLES and not behind.startswith("$"):
            right[at] = "an" if _SOUNDS_LIKE_A_VOWEL.match(behind) else "a"
    return right
