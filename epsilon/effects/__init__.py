"""Voice effects: one a file, named in a character's `effects:`; each has `load(options, sample_rate_hz)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from epsilon.errors import ConfigError, nearest


class Number(NamedTuple):
    """An option's range and default, in the unit that its name ends with."""

    low: float
    high: float
    default: float


def read_options(options: Mapping[str, object], known: Mapping[str, Number]) -> dict[str, float]:
    """The value of every option an effect knows; ConfigError for an unknown one or one out of range."""
    for name in options:
        if name not in known:
            raise ConfigError(f"no option '{name}'{nearest(name, known)}")
    return {name: _value(name, options.get(name, rule.default), rule) for name, rule in known.items()}


def _value(name: str, value: object, rule: Number) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} should be a number, not {value!r}")
    if not rule.low <= value <= rule.high:
        raise ConfigError(f"{name} should be from {rule.low:g} to {rule.high:g}, not {value:g}")
    return float(value)
