"""Reads what the mind's characters know and what people say to them: world.yaml and phrasings.yaml."""

import random
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

HERE = Path(__file__).parent
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
    known = slots | {capital(key): capital(value) for key, value in slots.items()}
    return _AN.sub(r"\1n ", Template(template).substitute(known))


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

    def pick(self, kind: str, rng: random.Random) -> str:
        return rng.choice(self.words[kind])


def load_world(folder: Path = HERE) -> World:
    data = read(folder / "world.yaml")
    tables = ("animals", "countries", "foods", "colours", "jobs", "topics")
    facts = {table: {name: choices(row, "|") for name, row in data[table].items()} for table in tables}
    opposites = data["opposites"] | {second: first for first, second in data["opposites"].items()}
    words = {key: value for key, value in data.items() if isinstance(value, list)}
    words |= {table: list(rows) for table, rows in facts.items()} | {"opposites": list(opposites)}
    groups = read(folder / "phrasings.yaml")
    said = {name: choices(text, "/") for group in groups.values() for name, text in group.items()}
    return World(facts, words, opposites, said, list(groups["plain"]))
