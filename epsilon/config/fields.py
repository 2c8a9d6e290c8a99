"""Reads a mapping into a frozen dataclass: each field says its type, unit, range, default and meaning, once.

A field's key in YAML is its name without the unit (`rate_hz` is `rate: 16 kHz`). Types: str, bool, int,
float, `str | None`, other such dataclasses, tuples and dicts of them, and a Table as it stands.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from epsilon.config import units
from epsilon.config.document import Listing, Node, Problems, Table, Text
from epsilon.errors import nearest

T = TypeVar("T")

REQUIRED = object()
BROKEN: Any = object()  # stands for a value whose mistake is noted already


@dataclasses.dataclass(frozen=True)
class Spec:
    """What a field may hold."""

    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def setting(
    doc: str,
    default: Any = REQUIRED,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field read from YAML; without a default it must be given. `low` and `high` are in its own unit."""
    metadata = {"spec": Spec(doc, low, high, choices)}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def read_table(cls: type[T], table: Table, problems: Problems, given: Mapping[str, Any] | None = None) -> T:
    """The dataclass filled from a table and from `given`, the fields that are not read.

    Mistakes go to `problems`; then the result is BROKEN and not to be used.
    """
    spoiled = len(problems.found)
    hints = typing.get_type_hints(cls)
    keys = {units.split_name(field.name)[0]: field for field in settings_of(cls)}
    for key in table.items:
        if key not in keys:
            problems.add(f"no key '{key}' here{nearest(key, keys)}", table.keys[key])
    values = dict(given or {})
    for key, field in keys.items():
        if key in table.items:
            values[field.name] = _value(hints[field.name], field, table.items[key], problems)
        elif not _has_default(field):
            problems.add(f"key '{key}' is missing: {spec_of(field).doc}", table.where)
    return cls(**values) if len(problems.found) == spoiled else BROKEN


def settings_of(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass that are read from YAML."""
    return [field for field in dataclasses.fields(cls) if "spec" in field.metadata]


def spec_of(field: dataclasses.Field[Any]) -> Spec:
    """What was declared by `setting`."""
    spec: Spec = field.metadata["spec"]
    return spec


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _value(kind: Any, field: dataclasses.Field[Any], node: Node, problems: Problems) -> Any:
    """A node as the type `kind`; BROKEN after noting what is wrong with it."""
    if get_origin(kind) is types.UnionType:  # `str | None`
        if isinstance(node, Text) and node.is_null:
            return None
        kind = next(one for one in get_args(kind) if one is not types.NoneType)
    if kind is Table:  # read later, by what it is for
        return _table(node, problems)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind)[0], field, node, problems)
    if get_origin(kind) in (dict, Mapping):
        return _mapping(get_args(kind)[1], field, node, problems)
    if dataclasses.is_dataclass(kind):
        return _nested(typing.cast("type[Any]", kind), node, problems)
    return _scalar(kind, field, node, problems)


def _nested(kind: type[Any], node: Node, problems: Problems) -> Any:
    table = _table(node, problems)
    return read_table(kind, table, problems) if table is not BROKEN else BROKEN


def _table(node: Node, problems: Problems) -> Any:
    if isinstance(node, Table):
        return node
    problems.add("should hold `key: value` entries", node.where)
    return BROKEN


def _tuple(kind: Any, field: dataclasses.Field[Any], node: Node, problems: Problems) -> Any:
    if isinstance(node, Listing):
        return tuple(_value(kind, field, item, problems) for item in node.items)
    problems.add("should be a list: [a, b]", node.where)
    return BROKEN


def _mapping(kind: Any, field: dataclasses.Field[Any], node: Node, problems: Problems) -> Any:
    table = _table(node, problems)
    if table is BROKEN:
        return BROKEN
    return {key: _value(kind, field, item, problems) for key, item in table.items.items()}


def _scalar(kind: Any, field: dataclasses.Field[Any], node: Node, problems: Problems) -> Any:
    spec = spec_of(field)
    try:
        if not isinstance(node, Text):
            raise ValueError("expected a single value")
        if kind is str:
            return _text(node, spec)
        if kind is bool:
            return _truth(node)
        return _number(kind, node, units.split_name(field.name)[1], spec)
    except ValueError as mistake:
        problems.add(str(mistake), node.where)
        return BROKEN


def _text(node: Text, spec: Spec) -> str:
    if not node.is_text:
        raise ValueError(f"expected text, found {node.value!r}; put it in quotes")
    text = node.value.strip()
    if spec.choices and text not in spec.choices:
        raise ValueError(f"no such choice '{text}'{nearest(text, spec.choices)}")
    if not text:
        raise ValueError("expected text, found none")
    return text


def _truth(node: Text) -> bool:
    if node.value not in ("true", "false"):
        raise ValueError(f"expected true or false, found {node.value!r}")
    return node.value == "true"


def _number(kind: Any, node: Text, suffix: str, spec: Spec) -> float:
    number = units.parse(node.value, suffix)
    low = -float("inf") if spec.low is None else spec.low
    high = float("inf") if spec.high is None else spec.high
    if not low <= number <= high:
        allowed = " ".join(
            part
            for part, limit in (
                (f"from {units.show(low, suffix)}", spec.low),
                (f"to {units.show(high, suffix)}", spec.high),
            )
            if limit is not None
        )
        raise ValueError(f"{node.value} is out of range: {allowed}")
    if kind is int and number != int(number):
        raise ValueError(f"expected a whole number, found {node.value!r}")
    return int(number) if kind is int else number
