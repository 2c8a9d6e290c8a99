"""What is said in a soak: the characters' written replies, strung together to long texts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import cycle

import yaml

from epsilon.config import folders

WORDS = 60  # of a text, at least
SEED = 7


def long_texts(characters: Sequence[str]) -> Iterator[str]:
    """Texts without end, of the characters in turn; the same ones each time."""
    shuffled = [_endless(replies(name)) for name in characters]
    for coming in cycle(shuffled):
        text: list[str] = []
        while len(text) < WORDS:
            text += next(coming).split()
        yield " ".join(text)


def replies(character: str) -> list[str]:
    """Everything that a character's written scenes make it say, in order."""
    found: dict[str, None] = {}
    for path in sorted((folders.root() / "characters" / character).glob("dialogues_*.yaml")):
        for scene in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["scenes"]:
            for said in scene.values():
                found |= dict.fromkeys(one.strip() for one in str(said).split("|"))
    return [reply for reply in found if not set(reply) & set("<>{}")]


def _endless(texts: list[str]) -> Iterator[str]:
    while True:
        yield from random.Random(SEED).sample(texts, len(texts))
