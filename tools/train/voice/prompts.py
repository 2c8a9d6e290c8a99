"""What the teacher reads: everyday sentences, the characters' replies, shapes with a melody, words in random order.

Sentences teach the melody of speech; random words show every phoneme beside every other.
"""

import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from epsilon.engines.tts.lexicon import data_folder
from tools.train.speech.synthesis import training_sentences
from tools.train.text.sentences import Sentences, load
from tools.train.voice.shapes import melodious

_QUESTION = frozenset(
    "who what when where why how do does did is are am was were can could would will shall should have has may".split()
)
_WORD = re.compile(r"[a-z][a-z']*")
_DICTIONARY_WORD = re.compile(r"^[a-z]+(?= )", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?]) +")
_LENGTHS = range(2, 111)  # characters of a prompt
_HELD_OUT_ONE_IN = 40


@dataclass(frozen=True)
class Sources:
    """What prompts are drawn from."""

    words: Sentences  # of the ears' templates
    everyday: Sequence[str]
    replies: Sequence[str]  # with punctuation
    openers: Sequence[str]
    dictionary: Sequence[str]


def sources(characters: Path, seed: int, everyday: int = 20_000) -> Sources:
    """All of it, from the project's own files."""
    words = load()
    drawn = list(islice(training_sentences(words, random.Random(seed)), everyday))
    said = [reply for reply in replies(characters) if not is_reserved_reply(reply)]
    return Sources(words, drawn, said, openers(characters), dictionary_words())


def replies(characters: Path) -> list[str]:
    """What the characters say in their dialogues, with punctuation, where it stands there word for word."""
    found: set[str] = set()
    for path in sorted(characters.glob("*/dialogues*.yaml")):
        for text in _texts(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found.update(reply.strip() for reply in text.split(" | "))
    return sorted(reply for reply in found if "$" not in reply and reply and reply[-1] in ".?!")


def is_reserved_reply(reply: str) -> bool:
    """One reply in forty is kept for evaluation, the same ones in every run."""
    return zlib.crc32(reply.encode()) % _HELD_OUT_ONE_IN == 0


def openers(characters: Path) -> list[str]:
    """What the characters begin with before they have thought."""
    pages = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in characters.glob("*/character.yaml")]
    return sorted({opener for page in pages for opener in page.get("openers", [])})


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


def _punctuated(sentence: str, rng: random.Random) -> str:
    words = sentence.split()
    if len(words) > 5 and rng.random() < 0.25:
        at = rng.randrange(1, len(words) - 2)
        words[at] += ","
    end = "?" if is_question(sentence) and rng.random() < 0.85 else rng.choice("....!")
    return " ".join(words) + end


def _word_salad(from_: Sources, rng: random.Random) -> str:
    chosen = [rng.choice(from_.dictionary) for _ in range(rng.randint(3, 7))]
    if rng.random() < 0.3:
        chosen[rng.randrange(len(chosen) - 1)] += ","
    return " ".join(chosen) + rng.choice("..?!")


def _everyday(from_: Sources, rng: random.Random) -> str:
    return _punctuated(rng.choice(from_.everyday), rng)


def _two_everyday(from_: Sources, rng: random.Random) -> str:
    return _everyday(from_, rng) + " " + _everyday(from_, rng)


def _reply(from_: Sources, rng: random.Random) -> str:
    return rng.choice(from_.replies)


def _one_of_a_reply(from_: Sources, rng: random.Random) -> str:
    """One sentence alone, as the toy speaks them."""
    return rng.choice(_SENTENCE_END.split(rng.choice(from_.replies)))


def _opened(from_: Sources, rng: random.Random) -> str:
    """An opener, half of the time with what follows it."""
    opener = rng.choice(from_.openers)
    return opener if rng.random() < 0.5 else f"{opener} {rng.choice(from_.replies)}"


def _shaped(from_: Sources, rng: random.Random) -> str:
    return melodious(from_.words, rng)


_KINDS: Sequence[tuple[float, Callable[[Sources, random.Random], str]]] = (
    (0.17, _word_salad),
    (0.14, _everyday),
    (0.08, _two_everyday),
    (0.28, _reply),
    (0.10, _one_of_a_reply),
    (0.03, _opened),
    (0.20, _shaped),
)


def prompts(from_: Sources, avoid: Sequence[str], seed: int) -> Iterator[str]:
    """Endless texts for the teacher; none is in `avoid` (the held-out sentences)."""
    rng = random.Random(seed)
    held_out = {_bare(text) for text in avoid}
    shares, makers = zip(*_KINDS, strict=True)
    while True:
        text = rng.choices(makers, shares)[0](from_, rng)
        if len(text) in _LENGTHS and _bare(text) not in held_out:
            yield text


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))
