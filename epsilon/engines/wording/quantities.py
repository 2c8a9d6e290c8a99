"""Money, measures, fractions, telephone numbers and plain numbers as people say them."""

from __future__ import annotations

import re

from epsilon.engines.wording.numerals import cardinal, digits, fraction, number, ordinal, plural
from epsilon.engines.wording.rules import Rule

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_MINUS = r"(?<![^\s(\"'])-"  # after a space or a bracket; elsewhere it joins or means `to`

_CURRENCIES = {
    "$": ("dollar", "cent"),
    "£": ("pound", "penny"),
    "€": ("euro", "cent"),
    "¥": ("yen", ""),
    "₹": ("rupee", "paisa"),
}
_MAGNITUDES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "tn": "trillion"}
_PLURALS = {
    "penny": "pence",
    "foot": "feet",
    "percent": "percent",
    "yen": "yen",
    "paisa": "paise",
}
_UNITS = {
    "km": "kilometre",
    "cm": "centimetre",
    "mm": "millimetre",
    "µm": "micrometre",
    "nm": "nanometre",
    "m": "metre",
    "mi": "mile",
    "yd": "yard",
    "ft": "foot",
    "kg": "kilogram",
    "mg": "milligram",
    "g": "gram",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "l": "litre",
    "L": "litre",
    "ml": "millilitre",
    "cl": "centilitre",
    "ms": "millisecond",
    "s": "second",
    "sec": "second",
    "secs": "second",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "KB": "kilobyte",
    "kB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "W": "watt",
    "kW": "kilowatt",
    "kWh": "kilowatt hour",
    "V": "volt",
    "mA": "milliamp",
    "mAh": "milliamp hour",
    "dB": "decibel",
    "kcal": "kilocalorie",
    "°": "degree",
    "%": "percent",
    "¢": "cent",
}
_UNITS |= {f"{unit}²": f"square {_UNITS[unit]}" for unit in ("km", "cm", "mm", "m")}
_UNITS |= {f"{unit}³": f"cubic {_UNITS[unit]}" for unit in ("cm", "m")}
_SPEEDS = {"km/h": "kilometre per hour", "kmh": "kilometre per hour", "kph": "kilometre per hour"}
_SPEEDS |= {"mph": "mile per hour", "m/s": "metre per second", "mbps": "megabit per second"}
_SPEEDS |= {"°C": "degree celsius", "°F": "degree fahrenheit"}
_SPEEDS |= {"hz": "hertz", "khz": "kilohertz", "mb": "megabyte", "gb": "gigabyte"}  # as they are mistyped
_UNITS |= _SPEEDS
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
}
_VULGAR |= {"⅘": (4, 5), "⅙": (1, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}
_SET_PHRASES = {"24/7": "twenty four seven", "9/11": "nine eleven", "50/50": "fifty fifty"}
_SHORTEST_TELEPHONE = 7  # digits


def counted(amount: str, unit: str) -> str:
    """So much of something: `1`, `metre` is one metre, `2.5` is two point five metres."""
    return f"{number(amount)} {unit if amount in ('1', '-1') else units(unit)}"


def units(unit: str) -> str:
    """Several of a unit: metres per second, degrees celsius, square feet."""
    if " per " in unit:
        first, _, rest = unit.partition(" per ")
        return f"{units(first)} per {rest}"
    if unit.startswith("degree "):
        return unit.replace("degree", "degrees")
    return _PLURALS.get(unit) or (unit if unit.endswith("hertz") else plural(unit))


def _money(match: re.Match[str]) -> str:
    unit, small = _CURRENCIES[match[1]]
    amount, magnitude = match[2], match[3]
    if magnitude:
        return f"{number(amount)} {_MAGNITUDES.get(magnitude.lower(), magnitude.lower())} {units(unit)}"
    whole, _, part = amount.replace(",", "").partition(".")
    if len(part) > 2 or (part and not small) or len(whole) > 15:
        return counted(amount, unit)
    cents = int(part.ljust(2, "0")) if part else 0
    parts = [_some(int(whole or "0"), unit)] if int(whole or "0") or not cents else []
    return " and ".join(parts + ([_some(cents, small)] if cents else []))


def _some(amount: int, unit: str) -> str:
    return f"{cardinal(amount)} {unit if amount == 1 else units(unit)}"


def _money_after(match: re.Match[str]) -> str:
    return counted(match[1], _CURRENCIES[match[2]][0])


def _measure(match: re.Match[str]) -> str:
    unit = match[2] if match[2] in _UNITS else match[2].lower()
    return counted(match[1], _UNITS[unit])


def _magnitude(match: re.Match[str]) -> str:
    return f"{number(match[1])} {_MAGNITUDES[match[2].lower()]}"


def _fraction(match: re.Match[str]) -> str | None:
    if match[0] in _SET_PHRASES:
        return _SET_PHRASES[match[0]]
    whole, above, below = match[1], int(match[2]), int(match[3])
    if len(match[2]) > 3 or len(match[3]) > 3 or below == 0:
        return None
    part = fraction(above, below)
    return f"{number(whole)} and {part}" if whole else part


def _vulgar(match: re.Match[str]) -> str:
    part = fraction(*_VULGAR[match[2]])
    return f"{number(match[1])} and {part}" if match[1] else part


def _telephone(match: re.Match[str]) -> str | None:
    """Groups of digits that are a telephone number and neither a range nor a list."""
    groups = re.findall(r"\d+", match[0])
    lengths = [len(group) for group in groups]
    if sum(lengths) < _SHORTEST_TELEPHONE:
        return None
    if match[0][0] in "+(" or (match[0][0] == "0" and lengths[0] > 2) or lengths[-2:] == [3, 4]:
        return ("plus " if match[0][0] == "+" else "") + ", ".join(digits(group, "oh") for group in groups)
    return None


def _ordinal(match: re.Match[str]) -> str:
    rank = match[1].replace(",", "")
    return ordinal(int(rank)) if len(rank) <= 15 else digits(rank)


def _version(match: re.Match[str]) -> str:
    return " point ".join(number(part) for part in match[0].split("."))


def _height(match: re.Match[str]) -> str:
    return f"{cardinal(int(match[1]))} foot {cardinal(int(match[2]))}"


_ANY_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_SIGNS = re.escape("".join(_CURRENCIES))
RULES: tuple[Rule, ...] = (
    (re.compile(r"(?:\+?\d{1,5}|\(\d{2,5}\))(?:[ -]\d{2,5})+(?![\w-])", re.A), _telephone),
    (
        re.compile(
            rf"([{_SIGNS}])\s?({NUMBER})(?:\s?(thousand|million|billion|trillion|bn|tn|[kKmMbB])\b)?", re.A
        ),
        _money,
    ),
    (re.compile(rf"({NUMBER})\s?([{_SIGNS}])(?!\d)", re.A), _money_after),
    (re.compile(r"(?:(\d+)[ -])?(\d+)[/⁄](\d+)(?![/⁄\w])", re.A), _fraction),
    (re.compile(rf"(\d+)?\s?([{''.join(_VULGAR)}])", re.A), _vulgar),
    (re.compile(r"(\d)'\s?(\d{1,2})(?:\"|'')?(?!\w)", re.A), _height),
    (
        re.compile(rf"((?:{_MINUS})?(?:{NUMBER}))\s?({_ANY_UNIT})(?![\w²³°])(?:\.(?=\s[a-z]))?", re.A),
        _measure,
    ),
    (re.compile(rf"({NUMBER})p\b", re.A), lambda match: counted(match[1], "penny")),
    (re.compile(rf"({NUMBER})(bn|tn|[kM])\b", re.A), _magnitude),
    (re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b", re.A | re.I), _ordinal),
    (re.compile(r"\d+(?:\.\d+){2,}", re.A), _version),
    (re.compile(rf"(?:{_MINUS})?(?:{NUMBER})", re.A), lambda match: number(match[0])),
)
