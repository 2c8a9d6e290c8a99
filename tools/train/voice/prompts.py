"""What the teacher reads: everyday sentences, the characters' own replies, and dictionary words in random order.

Sentences teach the melody of speech; random words show every phoneme beside every other.
"""

import random
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from epsilon.engines.tts.lexicon import data_folder
from tools.train.speech.synthesis import training_sentences
from tools.train.text.sentences import load

_QUESTION = frozenset(
    "who what when where why how do does did is are am was were can could would will shall should have has may".split()
)
_WH = frozenset("who what when where why how".split())
_WORD = re.compile(r"[a-z][a-z']*")


_DICTIONARY_WORD = re.compile(r"^[a-z]+(?= )", re.MULTILINE)


def everyday_sentences(count: int, seed: int) -> list[str]:
    """Sentences of the ears' templates, lower case and without punctuation."""
    return list(islice(training_sentences(load(), random.Random(seed)), count))


def replies(characters: Path) -> list[str]:
    """What the characters say in their dialogues, with punctuation, where it stands there word for word."""
    found: set[str] = set()
    for path in sorted(characters.glob("*/dialogues*.yaml")):
        for text in _texts(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found.update(reply.strip() for reply in text.split(" | "))
    return sorted(reply for reply in found if "$" not in reply and reply and reply[-1] in ".?!")


def _texts(node: Any) -> Iterator[str]:
    """Every value that is a text, however deep."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def dictionary_words() -> list[str]:
    """The plain words of the pronouncing dictionary."""
    return _DICTIONARY_WORD.findall((data_folder() / "cmudict.dict").read_text(encoding="utf-8"))


def is_question(sentence: str) -> bool:
    """Whether a sentence without punctuation starts as a question does."""
    return sentence.split(" ", 1)[0].lower() in _QUESTION


def rises(text: str) -> bool:
    """Whether the melody goes up at the end: a question that is answered by yes or no."""
    last = re.split(r"[.!?]\s+", text.strip())[-1]
    first_word = _WORD.search(last.lower())
    return last.endswith("?") and (first_word is None or first_word.group() not in _WH)


def _punctuated(sentence: str, rng: random.Random) -> str:
    words = sentence.split()
    if len(words) > 5 and rng.random() < 0.25:
        at = rng.randrange(1, len(words) - 2)
        words[at] += ","
    end = "?" if is_question(sentence) and rng.random() < 0.85 else rng.choice("....!")
    return " ".join(words) + end


def _word_salad(words: Sequence[str], rng: random.Random) -> str:
    chosen = [rng.choice(words) for _ in range(rng.randint(3, 7))]
    if rng.random() < 0.3:
        chosen[rng.randrange(len(chosen) - 1)] += ","
    return " ".join(chosen) + rng.choice("..?!")


def prompts(sentences: Sequence[str], words: Sequence[str], avoid: Sequence[str], seed: int) -> Iterator[str]:
    """Endless texts for the teacher; none is in `avoid` (the held-out sentences)."""
    rng = random.Random(seed)
    held_out = {" ".join(_WORD.findall(text.lower())) for text in avoid}
    while True:
        kind = rng.random()
        if kind < 0.3:
            text = _word_salad(words, rng)
        elif kind < 0.55:
            text = _punctuated(rng.choice(sentences), rng) + " " + _punctuated(rng.choice(sentences), rng)
        else:
            sentence = rng.choice(sentences)
            text = sentence if sentence[-1] in ".?!" else _punctuated(sentence, rng)
        if 8 <= len(text) <= 110 and " ".join(_WORD.findall(text.lower())) not in held_out:
            yield text
