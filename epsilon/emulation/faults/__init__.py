"""What can go wrong, on purpose: one fault a module, named by `--fault` and in scenarios.

A module has `Options`, a dataclass of settings that all have a default, and a class `Broken` made from them; the first
line of its file says what a person would call it. Times count from the toy's start.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from epsilon.clock import Clock
from epsilon.config import folders
from epsilon.config.document import Problems, Table, Text
from epsilon.config.fields import read_table, setting
from epsilon.devices import Card
from epsilon.errors import ConfigError, nearest
from epsilon.hardware.senses import Feeling
from epsilon.toy import Toy

COMMAND_LINE = "--fault"


@dataclass(frozen=True)
class When:
    """From when to when."""

    at_ms: float = setting("when it begins", 3_000.0, low=0, high=86_400_000)
    for_ms: float = setting("how long it lasts", 2_000.0, low=0, high=86_400_000)


class OnPurpose(Exception):
    """What a broken engine raises: nobody wrote code for it."""


class Hanging(Exception):
    """An engine does not come back: in lock-step whoever drives the toy is told so."""


class Fault:
    """A toy's part that is broken for a while; a fault overrides what it touches, the rest stays as it is.

    A toy that died is built anew: then card, engines and feeling are asked for again.
    """

    def __init__(self, options: When) -> None:
        self.begins_s, self.ends_s = options.at_ms / 1000, (options.at_ms + options.for_ms) / 1000

    def is_on(self, now_s: float) -> bool:
        """Whether it is broken now."""
        return self.begins_s <= now_s < self.ends_s

    def plugged(self, now_s: float) -> bool:
        """Whether there is a sound card."""
        return True

    def card(self, card: Card, clock: Clock) -> Card:
        """The card in front of the toy."""
        return card

    def engine(self, stage: str, engine: Any, clock: Clock) -> Any:
        """The engine of a stage, just loaded."""
        return engine

    def feeling(self, feeling: Feeling, clock: Clock) -> Feeling:
        """What the toy feels of itself."""
        return feeling

    def folder(self, folder: Path) -> Path:
        """Where the toy keeps what it remembers."""
        return folder

    def follow(self, toy: Toy, now_s: float) -> None:
        """What hands and disk do meanwhile; called for every block of sound."""

    def rest(self) -> None:
        """The toy has done its work for this block: whoever looks on, in the same process, is not to be broken."""


def names() -> list[str]:
    """Every fault."""
    return [
        name for name in folders.module_names("emulation", "faults") if hasattr(module_of(name), "Broken")
    ]


def module_of(name: str) -> ModuleType:
    """The module of a fault that exists."""
    return importlib.import_module(f"epsilon.emulation.faults.{name}")


def build(table: Table) -> Fault:
    """The fault that a table describes: its `name`, and its options. ConfigError lists what is wrong with them."""
    named = table.items.get("name")
    if not isinstance(named, Text) or named.value not in names():
        what = f"'{named.value}'" if isinstance(named, Text) else "without a name"
        raise ConfigError(f"no fault {what}{nearest(getattr(named, 'value', ''), names())}", table.where)
    options = {key: node for key, node in table.items.items() if key != "name"}
    problems = Problems()
    module = module_of(named.value)
    read = read_table(module.Options, Table(options, table.keys, table.where), problems)
    problems.raise_if_any()
    fault: Fault = module.Broken(read)
    return fault


def parse(text: str) -> Fault:
    """The fault of a command line: `unplugged`, or `unplugged:at=3s,for=2s`. ConfigError as for `build`."""
    name, _, options = text.partition(":")
    items = {"name": Text(name, COMMAND_LINE, is_text=True, is_null=False)} | dict(_options(text, options))
    return build(Table(dict(items), dict.fromkeys(items, f"{COMMAND_LINE} {text}"), f"{COMMAND_LINE} {text}"))


def _options(text: str, options: str) -> Iterator[tuple[str, Text]]:
    for option in filter(None, options.split(",")):
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigError(f"'{option}' should be KEY=VALUE", f"{COMMAND_LINE} {text}")
        number = value[:1].isdigit() or value[:1] in "+-"
        yield key.strip(), Text(value.strip(), f"{COMMAND_LINE} {text}", is_text=not number, is_null=False)
