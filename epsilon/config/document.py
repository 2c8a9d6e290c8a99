"""A YAML file as a tree in which everything knows its file, line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from epsilon.config.folders import shown
from epsilon.errors import ConfigError


@dataclass
class Problems:
    """What is wrong with the files of one reading, collected so that all of it is shown together."""

    found: list[ConfigError] = field(default_factory=list)

    def add(self, message: str, where: str, hint: str = "") -> None:
        """Note one mistake."""
        self.found.append(ConfigError(message, where, hint))

    def raise_if_any(self) -> None:
        """ConfigError with the first mistake in the order of the file; the others ride on it."""
        if self.found:
            first, *others = sorted(self.found, key=lambda mistake: _order(mistake.where))
            raise ConfigError(first.message, first.where, first.hint, tuple(others))


@dataclass(frozen=True)
class Text:
    """A scalar as it is written; `is_text` is False where YAML reads it as a number, a boolean or nothing."""

    value: str
    where: str
    is_text: bool
    is_null: bool


@dataclass(frozen=True)
class Listing:
    """A sequence."""

    items: tuple[Node, ...]
    where: str


@dataclass(frozen=True)
class Table:
    """A mapping; `keys` has where each key is written."""

    items: dict[str, Node]
    keys: dict[str, str]
    where: str

    def over(self, base: Table) -> Table:
        """This table laid over a base: tables merge key by key, everything else replaces what was there."""
        items = dict(base.items)
        for key, node in self.items.items():
            below = items.get(key)
            items[key] = node.over(below) if isinstance(node, Table) and isinstance(below, Table) else node
        return Table(items, base.keys | self.keys, self.where)

    def without(self, key: str, *below: str) -> Table:
        """This table less what stands under these keys, if anything does."""
        items = dict(self.items)
        node = items.pop(key, None)
        if below and isinstance(node, Table):
            items[key] = node.without(*below)
        elif below and node is not None:
            items[key] = node
        return Table(items, self.keys, self.where)

    def place(self, *keys: str) -> str:
        """Where the value under these keys stands, or the nearest table around it."""
        node: Node = self
        for key in keys:
            if not isinstance(node, Table) or key not in node.items:
                break
            node = node.items[key]
        return node.where

    def key(self, *keys: str) -> str:
        """Where the last of these keys itself stands, or the nearest table around it."""
        node: Node = self
        for key in keys[:-1]:
            if not isinstance(node, Table) or key not in node.items:
                return node.where
            node = node.items[key]
        return node.keys.get(keys[-1], node.where) if isinstance(node, Table) else node.where


def nowhere() -> Table:
    """The table of something that was not read from a file."""
    return Table({}, {}, "")


Node = Text | Listing | Table


def read(path: Path, problems: Problems) -> Table:
    """The mapping in a YAML file. ConfigError when there is none; doubled keys go to `problems`."""
    name = shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", name) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", name) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not text in UTF-8", name) from error
    try:
        root = yaml.compose(text, Loader=NoAliases)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"is not YAML: {error.problem or error.context}", where) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError(f"is not YAML: {error.reason}", f"{name}:{line}") from error
    except RecursionError as error:
        raise ConfigError("is not YAML that anybody wrote: it is nested too deeply", name) from error
    if root is None:
        raise ConfigError("is empty", name)
    tree = _tree(root, name, problems)
    if not isinstance(tree, Table):
        raise ConfigError("should hold `key: value` lines", tree.where)
    return tree


class NoAliases(yaml.SafeLoader):
    """Refuses `*name` references: a file says everything where it stands."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None, None, "references (*name) are not used here", event.start_mark
            )
        return super().compose_node(parent, index)


def _order(where: str) -> tuple[str, list[int]]:
    """'a.yaml:9:3' sorts before 'a.yaml:10:1'."""
    name, *numbers = where.split(":")
    return name, [int(number) for number in numbers if number.isdigit()]


def _tree(node: yaml.Node, name: str, problems: Problems) -> Node:
    where = f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    if isinstance(node, yaml.SequenceNode):
        return Listing(tuple(_tree(item, name, problems) for item in node.value), where)
    if isinstance(node, yaml.MappingNode):
        return _table(node, name, where, problems)
    kind = node.tag.rpartition(":")[2]
    return Text(node.value, where, is_text=kind == "str", is_null=kind == "null")


def _table(node: yaml.MappingNode, name: str, where: str, problems: Problems) -> Table:
    items: dict[str, Node] = {}
    keys: dict[str, str] = {}
    for key_node, value_node in node.value:
        key = _tree(key_node, name, problems)
        if not isinstance(key, Text):
            problems.add("a key must be a word", key.where)
        elif key.value in items:
            problems.add(f"key '{key.value}' is given twice", key.where, f"first at {keys[key.value]}")
        else:
            items[key.value] = _tree(value_node, name, problems)
            keys[key.value] = key.where
    return Table(items, keys, where)
