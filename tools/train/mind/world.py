"""Reads what the mind's characters know and what people say to them: world.yaml and phrasings.yaml."""

import random
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

HERE = Path(__file__).parent
_SLOT = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_AN = re.compile(r"\b([Aa]) (?=[aeio])")
_START = re.compile(r"(^|[.!?] )([a-z])")

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GERUNDS = {
    "swim": "swimming",
    "dance": "dancing",
    "run": "running",
    "write": "writing",
    "whistle": "whistling",
    "skate": "skating",
}


def spell(value: int) -> str:
    """A number from 0 to 99 in words."""
    if value < 20:
        return _ONES[value]
    return _TENS[value // 10 - 2] + ("" if value % 10 == 0 else " " + _ONES[value % 10])


def gerund(verb: str) -> str:
    """`swim` as `swimming`."""
    return _GERUNDS.get(verb, verb + "ing")


def read(path: Path) -> dict:
    """A YAML file with every scalar as text, so that the words yes, no and on stay words."""
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=yaml.BaseLoader)


def choices(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator)]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def names(text: str) -> str:
    """`new delhi` as a proper name; joining words stay small."""
    return " ".join(
        w if w in ("and", "of", "many", "more", "languages") else capital(w) for w in text.split()
    )


def fill(template: str, slots: dict[str, str]) -> str:
    """Puts words into $slots; a capital in the slot's name asks for a capital in the word."""
    if "$" not in template:
        return template
    return _AN.sub(r"\1n ", _SLOT.sub(lambda found: _word(found[1] or found[2], slots), template))


def _word(slot: str, slots: dict[str, str]) -> str:
    return slots[slot] if slot in slots else capital(slots[slot[0].lower() + slot[1:]])


def sentence(text: str) -> str:
    """Every sentence of a reply begins with a capital."""
    return _START.sub(lambda found: found.group(1) + found.group(2).upper(), text)


@dataclass(frozen=True)
class World:
    """Facts and word lists by kind, and the phrasings of each intent; `plain` intents need no scene."""

    facts: dict[str, dict[str, list[str]]]
    words: dict[str, list[str]]
    opposites: dict[str, str]
    phrasings: dict[str, list[str]]
    plain: list[str]
    overheard: dict[str, list[str]]
    """What is not said to the toy, by kind."""
    others: dict[str, list[str]] = field(default_factory=dict)
    """What may stand for a word or a phrase of a user's line (`thesaurus.py`)."""
    sums: dict[str, list[str]] = field(default_factory=dict)
    """Sums as something that happens, by part."""

    @cached_property
    def anything(self) -> list[str]:
        """Every phrasing of every intent."""
        return [phrasing for ways in self.phrasings.values() for phrasing in ways]

    @cached_property
    def known(self) -> frozenset[str]:
        """The same, to look something up."""
        return frozenset(self.anything)

    def pick(self, kind: str, rng: random.Random) -> str:
        return rng.choice(self.words[kind])


def load_world(folder: Path = HERE) -> World:
    data = read(folder / "world.yaml")
    tables = ("animals", "countries", "foods", "colours", "jobs", "topics", "events")
    facts = {table: {name: choices(row, "|") for name, row in data[table].items()} for table in tables}
    opposites = data["opposites"] | {second: first for first, second in data["opposites"].items()}
    words = {key: value for key, value in data.items() if isinstance(value, list)}
    words |= {table: list(rows) for table, rows in facts.items()} | {"opposites": list(opposites)}
    said, plain = _phrasings(folder)
    others = {
        key: choices(row, "/") for path in folder.glob("thesaurus*.yaml") for key, row in read(path).items()
    }
    sums = {
        part: rows if isinstance(rows, list) else choices(rows, "/")
        for part, rows in read(folder / "sums.yaml").items()
    }
    return World(facts, words, opposites, said, plain, read(folder / "overheard.yaml"), others, sums)


def _phrasings(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """The ways to say each intent, of all phrasings*.yaml together, and the intents that need no scene."""
    said: dict[str, list[str]] = {}
    plain: list[str] = []
    for path in sorted(folder.glob("phrasings*.yaml")):
        groups = read(path)
        plain += groups.get("plain", {})
        for group in groups.values():
            for name, text in group.items():
                said[name] = list(dict.fromkeys(said.get(name, []) + choices(text, "/")))
    return said, list(dict.fromkeys(plain))
