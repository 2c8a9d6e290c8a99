"""How people start a sentence badly: fillers and restarts, as spoken and as they should be written.

The recogniser writes the words that are meant. Fillers (um, uh, er) are spoken and not written; words said twice
are written twice, because they are words and nobody can tell a restart from "no no" by the sound.
"""

from __future__ import annotations

import random

FILLERS = ("um", "um", "uh", "uh", "er", "erm", "ah")


def hesitate(sentence: str, rng: random.Random) -> tuple[str, str]:
    """→ (what is spoken, what is written); the spoken form may have commas."""
    spoken = written = sentence.split()
    kind = rng.random()
    if kind < 0.6:
        spoken, written = _restart(sentence.split(), rng)
    if kind > 0.4:
        spoken = _fill(spoken, rng)
    return " ".join(spoken), " ".join(written)


def _restart(words: list[str], rng: random.Random) -> tuple[list[str], list[str]]:
    """One to three words of the beginning, or one word further on, come twice."""
    if rng.random() < 0.7:
        first, count = 0, min(len(words), rng.choice((1, 1, 2, 2, 3)))
    else:
        first, count = rng.randrange(len(words)), 1
    again = words[first : first + count]
    comma = "," if rng.random() < 0.5 else ""
    spoken = words[:first] + again[:-1] + [again[-1] + comma] + words[first:]
    return spoken, words[:first] + again + words[first:]


def _fill(words: list[str], rng: random.Random) -> list[str]:
    """A filler before the sentence or inside it, now and then two."""
    words = list(words)
    for _ in range(1 if rng.random() < 0.8 else 2):
        place = 0 if rng.random() < 0.5 else rng.randrange(len(words) + 1)
        words.insert(place, rng.choice(FILLERS) + ("," if rng.random() < 0.6 else ""))
    return words
