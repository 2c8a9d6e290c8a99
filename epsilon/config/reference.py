"""Every key that a board or character file may hold, as text: made from the fields themselves."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any

from epsilon.config import units
from epsilon.config.document import Table
from epsilon.config.fields import Spec, settings_of, spec_of

NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def reference(kind: type[Any], depth: int = 1) -> Iterator[str]:
    """A line a key, with its meaning, type or unit, range and default; what it holds is indented below it."""
    hints = typing.get_type_hints(kind)
    for field in settings_of(kind):
        spec = spec_of(field)
        key, suffix = units.split_name(field.name)
        inner, shape = _shape(hints[field.name])
        facts = [
            "" if suffix else shape,
            _range(spec, suffix),
            " or ".join(spec.choices),
            _default(field, suffix),
        ]
        told = ", ".join(filter(None, facts))
        yield f"{'  ' * depth}{key:<{22 - 2 * depth}} {spec.doc}" + (f" [{told}]" if told else "")
        if dataclasses.is_dataclass(inner) and inner is not Table:
            yield from reference(typing.cast("type[Any]", inner), depth + 1)


def _shape(hint: Any) -> tuple[Any, str]:
    """The innermost type of a field and what people call the whole."""
    if hint is Table:
        return hint, "a table"
    inner = [one for one in typing.get_args(hint) if one not in (types.NoneType, ...)]
    kind = inner[-1] if inner else hint
    if typing.get_origin(hint) is dict:
        return kind, f"a {NAMES[kind]} by name" if kind in NAMES else "a table by name"
    if typing.get_origin(hint) is tuple:
        return kind, f"a list of {NAMES[kind]}s" if kind in NAMES else "a list of tables"
    return kind, NAMES.get(kind, "")


def _range(spec: Spec, suffix: str) -> str:
    if spec.low is None and spec.high is None:
        return ""
    low = "" if spec.low is None else f"from {units.show(spec.low, suffix)}"
    high = "" if spec.high is None else f"to {units.show(spec.high, suffix)}"
    return f"{low} {high}".strip()


def _default(field: dataclasses.Field[Any], suffix: str) -> str:
    default = field.default
    if default is dataclasses.MISSING:
        return "" if field.default_factory is not dataclasses.MISSING else "required"
    if default in (None, "", ()):
        return "default: none"
    if isinstance(default, bool):
        return f"default: {str(default).lower()}"
    return f"default: {units.show(default, suffix) if isinstance(default, int | float) else default}"
