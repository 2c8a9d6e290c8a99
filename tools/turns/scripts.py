"""What is said in a turn and where the speaker stops to think: scripts from templates, by kind.

Sentences are those of tools/train/text. Turns of the bench are built of sentences that no model here is trained on,
and no turn of the bench is one of the training's: every tenth text is kept for it.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import yaml

from tools.train.speech.casting import CAST
from tools.train.speech.synthesis import is_reserved
from tools.train.text.sentences import Sentences, load
from tools.turns.pauses import draw_pause
from tools.turns.worlds import World

FILLERS = ("um", "um", "uh", "uh", "er", "erm", "well", "like")
UNWRITTEN = frozenset(("um", "uh", "er", "erm"))  # the ears do not write them
JOINERS = ("and", "and", "because", "because", "but", "so", "and then", "or", "when", "if")
SHORT = (
    "yes", "no", "okay", "yes please", "no thank you", "i don't know", "a dog", "a cat", "blue", "red", "green",
    "maybe", "hello", "good night", "bye", "thank you", "me too", "of course", "why", "what", "really", "again",
    "tell me more", "one more", "a story", "a song", "i am six", "seven", "not yet", "that's right", "stop it",
    "good morning", "yes i do", "no i don't", "at school", "my mother", "with my friends", "chocolate", "pizza",
    "yesterday", "tomorrow", "in the garden", "at home", "how come", "a rabbit", "my teddy bear", "purple",
)  # fmt: skip
LIST_HEADS = {
    "food": ("i like", "we had", "i ate", "my favourite foods are", "we need to buy", "can you eat"),
    "animals": ("i like", "i saw", "my favourite animals are", "we have", "do you know"),
    "toy": ("i have a", "for my birthday i want a", "in my room there is a"),
    "name": ("my friends are", "today i played with", "i know"),
}
KEPT_OUT_OF = 10  # one text in so many is for the bench, and one to choose by
_KEPT = {0: World.HELD_OUT, 1: World.DEVELOPMENT}
MOST_WORDS = 13


@dataclass(frozen=True)
class Part:
    """Words said in one go; `melody` is "on" (it continues), "final" or "ask"; then silence, 0 after the last."""

    text: str
    melody: str = "final"
    pause_s: float = 0.0


@dataclass(frozen=True)
class Script:
    """A turn as it will be spoken. `slow` is a child looking for words."""

    kind: str
    parts: tuple[Part, ...]
    slow: bool = False

    @property
    def spoken(self) -> str:
        """All words, fillers too."""
        return " ".join(part.text for part in self.parts)

    @property
    def text(self) -> str:
        """The words as the ears are to write them."""
        return written(self.spoken)


def written(spoken: str) -> str:
    """Without the fillers that are spoken only."""
    return " ".join(word for word in spoken.split() if word not in UNWRITTEN)


@cache
def sentences() -> Sentences:
    """The templates."""
    return load()


@cache
def _question_words() -> frozenset[str]:
    return frozenset(yaml.safe_load(CAST.read_text())["question_words"])


def asks(sentence: str) -> bool:
    """Whether it begins as questions do."""
    return sentence.split()[0].split("'")[0] in _question_words()


class Writer:
    """Draws scripts of one world; the worlds share no turn of words but the short answers."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world, self.held_out = rng, world, world is World.HELD_OUT

    def draw(self) -> Script:
        """A script of any kind."""
        kinds, shares = zip(*((kind, share) for kind, (share, _) in _KINDS.items()), strict=True)
        kind = self.rng.choices(kinds, shares)[0]
        while True:
            script = _KINDS[kind][1](self)
            if kind == "short" or self._is_mine(script.spoken):
                return script

    def _is_mine(self, text: str) -> bool:
        return _KEPT.get(zlib.crc32(text.encode()) % KEPT_OUT_OF, World.TRAINING) is self.world

    def _sentence(self, fits: Callable[[str], bool] = lambda _: True) -> str:
        while True:
            templates = sentences().held_out if self.held_out and self.rng.random() < 0.3 else None
            if templates:
                sentence = sentences().draw_held_out(self.rng)
            else:
                sentence = sentences().draw(self.rng, random_words=False)
                reserved = is_reserved(sentence, sentences())
                if reserved != self.held_out and (reserved or len(sentence.split()) > 3):
                    continue
            if len(sentence.split()) <= MOST_WORDS and fits(sentence):
                return sentence

    def _statement(self) -> str:
        return self._sentence(lambda sentence: not asks(sentence))

    def _pause(self, longer: float = 1.0) -> float:
        return draw_pause(self.rng, longer)

    def _split(self, sentence: str, often: float) -> tuple[Part, ...]:
        """The sentence, now and then with a pause before one of its words."""
        words, end = sentence.split(), "ask" if asks(sentence) else "final"
        if len(words) < 4 or self.rng.random() > often:
            return (Part(sentence, end),)
        place = self.rng.randrange(1, len(words))
        first, rest = " ".join(words[:place]), " ".join(words[place:])
        return Part(first, "on", self._pause()), Part(rest, end)

    def question(self) -> Script:
        return Script("question", self._split(self._sentence(asks), 0.5))

    def statement(self) -> Script:
        return Script("statement", self._split(self._statement(), 0.6))

    def short(self) -> Script:
        return Script("short", (Part(self.rng.choice(SHORT)),))

    def list(self) -> Script:
        """Three or four things, said with pauses or none between them."""
        slot = self.rng.choice(list(LIST_HEADS))
        names = self.rng.sample(sentences().slots[slot], self.rng.choice((3, 3, 4)))
        heard = [f"{self.rng.choice(LIST_HEADS[slot])} {names[0]}", *names[1:-1], f"and {names[-1]}"]
        if slot == "toy":
            heard = [heard[0], *(f"a {name}" for name in names[1:-1]), f"and a {names[-1]}"]
        pauses = [self._pause() if self.rng.random() < 0.6 else 0.0 for _ in heard[:-1]]
        return Script("list", _joined(heard, pauses))

    def restart(self) -> Script:
        """The beginning twice."""
        sentence = self._sentence(lambda sentence: len(sentence.split()) > 3)
        again = " ".join(sentence.split()[: self.rng.choice((1, 2, 2, 3))])
        pause_s = self._pause() if self.rng.random() < 0.75 else 0.0
        return Script("restart", (Part(again, "on", pause_s), *self._split(sentence, 0.1)))

    def filler(self) -> Script:
        """A filler before the sentence or inside it, and silence after the filler, before it or both."""
        words, filler = self._sentence(lambda s: len(s.split()) > 2).split(), self.rng.choice(FILLERS)
        place = 0 if self.rng.random() < 0.4 else self.rng.randrange(1, len(words))
        end = "ask" if asks(" ".join(words)) else "final"
        first, rest = " ".join(words[:place]), Part(" ".join(words[place:]), end)
        if first and self.rng.random() < 0.3:
            begun = [Part(first, "on", self._pause()), Part(filler, "on", self._pause())]
        else:
            begun = [Part(f"{first} {filler}".strip(), "on", self._pause())]
        return Script("filler", (*begun, rest))

    def trailing(self) -> Script:
        """A clause that ends on a word which wants another: "… because", silence, the reason."""
        joiner, second = self.rng.choice(JOINERS), self._statement()
        pause_s = self._pause()
        if self.rng.random() < 0.75:
            parts = (Part(f"{self._statement()} {joiner}", "on", pause_s), Part(second))
        else:
            parts = (Part(self._statement(), "on", pause_s), Part(f"{joiner} {second}"))
        return Script("trailing", parts)

    def two(self) -> Script:
        """Two sentences; the first sounds as finished as the second."""
        first, second = self._sentence(), self._sentence()
        parts = Part(first, "ask" if asks(first) else "final", self._pause()), *self._split(second, 0.0)
        return Script("two", parts)

    def child(self) -> Script:
        """A slow answer, one to three words at a time."""
        words, pieces = self._statement().split(), list[str]()
        while words:
            count = self.rng.choice((1, 2, 2, 3, 3, 4))
            pieces.append(" ".join(words[:count]))
            words = words[count:]
        if len(pieces) > 1 and self.rng.random() < 0.3:
            pieces[0] = f"{pieces[0]} um"
        often = 1.3 / max(1, len(pieces) - 1)
        pauses = [self._pause(1.15) if self.rng.random() < often else 0.0 for _ in pieces[:-1]]
        return Script("child", _joined(pieces, pauses), slow=True)


def _joined(pieces: list[str], pauses: list[float]) -> tuple[Part, ...]:
    """Pieces of one sentence with these silences between them; those without a silence are one part."""
    parts, text = list[Part](), ""
    for piece, pause_s in zip(pieces, [*pauses, 0.0], strict=True):
        text = f"{text} {piece}".strip()
        if pause_s:
            parts.append(Part(text, "on", pause_s))
            text = ""
    return (*parts, Part(text))


# Shares of all turns; the bench and the training have the same.
_KINDS: dict[str, tuple[float, Callable[[Writer], Script]]] = {
    "question": (0.25, Writer.question),
    "statement": (0.21, Writer.statement),
    "short": (0.12, Writer.short),
    "list": (0.08, Writer.list),
    "restart": (0.07, Writer.restart),
    "filler": (0.09, Writer.filler),
    "trailing": (0.07, Writer.trailing),
    "two": (0.05, Writer.two),
    "child": (0.06, Writer.child),
}
KINDS = tuple(_KINDS)
