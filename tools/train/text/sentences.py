"""Expands the templates of the folder `sentences` into spoken sentences: lower case, words and apostrophes only."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tools.train.text.numbers import clock_time, digits, number

DATA = Path(__file__).with_name("sentences")
MAX_WORDS = 14
MAX_CHARACTERS = 75

_SLOT = re.compile(r"\{(\w+)\}")
_COMPUTED = {"num": number, "digits": digits, "time": clock_time}


@dataclass(frozen=True)
class Sentences:
    """Word lists and templates, and everything that is drawn from them.

    `held_out` templates are kept from training so that unknown sentence shapes can be measured.
    """

    slots: dict[str, list[str]]
    openers: list[str]
    closers: list[str]
    templates: list[str]
    held_out: list[str]

    def draw(self, rng: random.Random, random_words: bool = True) -> str:
        """One sentence. One in twelve is a string of random words, so that a decoder learns to listen."""
        kind = rng.random()
        if kind < 0.08 and random_words:
            return " ".join(rng.choice(self.words) for _ in range(rng.randrange(2, 8)))
        sentence = self._expand(self._pick(self.templates, rng), rng)
        if kind < 0.13:
            return f"{rng.choice(self.openers)} {sentence}"
        if kind < 0.16:
            return f"{sentence} {rng.choice(self.closers)}"
        if kind < 0.20:
            return f"{sentence} {self._expand(self._pick(self.templates, rng), rng)}"
        return sentence

    def draw_held_out(self, rng: random.Random) -> str:
        """One sentence from the templates that are never trained on."""
        return self._expand(rng.choice(self.held_out), rng)

    @cached_property
    def words(self) -> list[str]:
        """Every word that training sentences can contain, sorted, numbers left out."""
        text = [entry for entries in self.slots.values() for entry in entries] + self.templates
        return sorted({word for entry in text for word in _SLOT.sub(" ", entry).split() if word != "'s"})

    def _pick(self, templates: list[str], rng: random.Random) -> str:
        """Templates with more slots have more to say, so they are drawn more often."""
        while True:
            template = rng.choice(templates)
            if rng.random() < (0.22, 0.62, 1.0)[min(2, template.count("{"))]:
                return template

    def _expand(self, template: str, rng: random.Random) -> str:
        return _SLOT.sub(lambda found: self._fill(found.group(1), rng), template)

    def _fill(self, slot: str, rng: random.Random) -> str:
        if slot in _COMPUTED:
            return _COMPUTED[slot](rng)
        if slot in self.slots:
            return rng.choice(self.slots[slot])
        word = rng.choice(self.slots[slot.removeprefix("a_")])
        return ("an " if word[0] in "aeiou" else "a ") + word


def load(folder: Path = DATA) -> Sentences:
    """Reads the YAML files of the folder as one and refuses templates that name an unknown slot."""
    slots: dict[str, list[str]] = {}
    lists: dict[str, list[str]] = {"openers": [], "closers": [], "templates": [], "held_out": []}
    for path in sorted(folder.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        for slot, entries in data.pop("slots").items():
            slots[slot] = list(dict.fromkeys(slots.get(slot, []) + entries))
        for name, entries in data.items():
            lists[name] += entries
    for template in lists["templates"] + lists["held_out"]:
        for slot in _SLOT.findall(template):
            if slot not in _COMPUTED and slot.removeprefix("a_") not in slots:
                raise ValueError(f"{folder.name}: no slot {slot!r} for the template {template!r}")
    return Sentences(slots, **lists)


def distinct(draw: Iterator[str], count: int, taken: set[str]) -> list[str]:
    """`count` sentences that are short enough and not in `taken`, which grows by them."""
    found: list[str] = []
    while len(found) < count:
        sentence = next(draw)
        if sentence in taken or len(sentence) > MAX_CHARACTERS or len(sentence.split()) > MAX_WORDS:
            continue
        taken.add(sentence)
        found.append(sentence)
    return found
