"""Numbers with units as text: "16 kHz", "20 ms", "3.5 GB", "2 %"."""

import re

# The suffix of a field's name says its unit; the text may use any unit of that row, each a factor of it.
UNITS: dict[str, dict[str, float]] = {
    "hz": {"Hz": 1, "kHz": 1000},
    "mhz": {"MHz": 1, "GHz": 1000},
    "ms": {"ms": 1, "s": 1000},
    "mb": {"MB": 1, "GB": 1000},
    "kib": {"KiB": 1, "MiB": 1024},
    "gb_s": {"GB/s": 1, "MB/s": 0.001},
    "percent": {"%": 1},
    "c": {"°C": 1, "C": 1},
    "db": {"dB": 1},
}
NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([A-Za-z%°/]*)")


def split_name(field_name: str) -> tuple[str, str]:
    """A field's key in YAML and its unit's suffix: 'rate_hz' is ('rate', 'hz'), 'seed' is ('seed', '')."""
    words = field_name.split("_")
    for first in range(1, len(words)):
        suffix = "_".join(words[first:])
        if suffix in UNITS:
            return "_".join(words[:first]), suffix
    return field_name, ""


def parse(text: str, suffix: str) -> float:
    """The number in the unit of the suffix ('' for none). ValueError says what was expected instead."""
    match = NUMBER.fullmatch(text.strip())
    expected = f"a number with a unit: {' or '.join(UNITS[suffix])}" if suffix else "a plain number"
    if not match:
        raise ValueError(f"expected {expected}, found {text!r}")
    number, unit = match.groups()
    factors = UNITS[suffix] if suffix else {"": 1.0}
    if unit not in factors:
        raise ValueError(f"expected {expected}, found {text!r}")
    return float(number) * factors[unit]


def show(number: float, suffix: str) -> str:
    """The number with the first unit of its row: show(600, 'ms') is '600 ms'."""
    written = f"{number:.9g}"
    return f"{written} {next(iter(UNITS[suffix]))}" if suffix else written
