"""Written text to the words people say: numbers, times, money, units, abbreviations and signs.

The result holds only lower-case words (a-z and apostrophes) and the marks , . ? ! so that a dictionary can go
on from there.
"""

import re
import unicodedata

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_GROUPS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LONGEST_NUMBER = 15  # digits; beyond that they are read one by one
_CURRENCIES = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent")}
_PLURALS = {
    "penny": "pence",
    "foot": "feet",
    "inch": "inches",
    "hertz": "hertz",
    "degree celsius": "degrees celsius",
}
_UNITS = {
    "km/h": "kilometre per hour",
    "km": "kilometre",
    "cm": "centimetre",
    "mm": "millimetre",
    "kg": "kilogram",
    "mg": "milligram",
    "ml": "millilitre",
    "ms": "millisecond",
    "hz": "hertz",
    "khz": "kilohertz",
    "mb": "megabyte",
    "gb": "gigabyte",
    "°c": "degree celsius",
    "°": "degree",
    "m": "metre",
    "g": "gram",
    "l": "litre",
    "s": "second",
    "h": "hour",
    "ft": "foot",
    "lb": "pound",
    "%": "percent",
}
_ABBREVIATIONS = {
    "mr": "mister",
    "mrs": "missus",
    "ms": "miz",
    "dr": "doctor",
    "prof": "professor",
    "st": "saint",
    "jr": "junior",
    "vs": "versus",
    "etc": "et cetera",
    "approx": "approximately",
    "dept": "department",
}
_SIGNS = {
    "&": " and ",
    "+": " plus ",
    "=": " equals ",
    "@": " at ",
    "#": " number ",
    "*": " ",
    "/": " ",
    "_": " ",
}
_SIGNS |= {"%": " percent ", "°": " degrees ", "×": " times ", "÷": " divided by ", "√": " root "}
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "½": " half "})
_PAUSES = str.maketrans({"…": ",", "–": ",", "—": ",", ";": ",", ":": ","})

_TIME = re.compile(r"\b(\d{1,2}):(\d{2})(?:\s*([ap])(?:m\b|\.m\.))?", re.I)
_HOUR = re.compile(r"\b(\d{1,2})\s*([ap])(?:m\b|\.m\.)", re.I)
_NUMBERED = re.compile(r"\bno\.\s*(?=\d)", re.I)
_MONEY = re.compile(r"([$£€])\s?(\d+(?:,\d{3})*)(?:\.(\d{1,2}))?(?!\d)")
_MEASURE = re.compile(
    r"(?<![\w.])(-?\d+(?:,\d{3})*(?:\.\d+)?)\s?("
    + "|".join(sorted(_UNITS, key=len, reverse=True))
    + r")(?![\w])",
    re.I,
)
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b", re.I)
_DECADE = re.compile(r"\b(1[1-9]|20)(\d0)s\b")
_DECIMAL = re.compile(r"(?<!\w)-?(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?")
_ABBREVIATION = re.compile(r"\b(" + "|".join(_ABBREVIATIONS) + r")\.(?=\s+\S)", re.I)
_LATIN = (("e.g.", "for example"), ("i.e.", "that is"), ("a.m.", "a m"), ("p.m.", "p m"))


def cardinal(number: int) -> str:
    """A whole number in words."""
    if number < 0:
        return "minus " + cardinal(-number)
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (" " + _ONES[number % 10] if number % 10 else "")
    size, name = next(group for group in _GROUPS if number >= group[0])
    rest = number % size
    joint = " and " if size == 100 or (size == 1000 and rest < 100) else " "
    return f"{cardinal(number // size)} {name}" + (joint + cardinal(rest) if rest else "")


def ordinal(number: int) -> str:
    """A rank in words: 21 is twenty first."""
    *head, last = cardinal(number).split()
    if last in _IRREGULAR_ORDINALS:
        last = _IRREGULAR_ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join([*head, last])


def number(written: str) -> str:
    """A number as written, with thousands commas, a minus sign or a decimal point, in words."""
    minus = "minus " if written.startswith("-") else ""
    whole, _, fraction = written.lstrip("-").replace(",", "").partition(".")
    grouped = "," in written
    if len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        said = _digits(whole)
    elif not fraction and not grouped and len(whole) == 4:
        said = year(int(whole))
    else:
        said = cardinal(int(whole))
    return minus + said + (" point " + _digits(fraction) if fraction else "")


def year(value: int) -> str:
    """Four digits as a year is said: 1984 in two halves, 2005 as a number."""
    century, rest = divmod(value, 100)
    if not 11 <= century <= 20 or 2000 <= value < 2010:
        return cardinal(value)
    if rest == 0:
        return cardinal(century) + " hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _counted(amount: int, unit: str) -> str:
    return f"{cardinal(amount)} {unit if amount == 1 else _plural(unit)}"


def _plural(unit: str) -> str:
    first, _, rest = unit.partition(" per ")
    plural = _PLURALS.get(first, first if first == "percent" else first + "s")
    return f"{plural} per {rest}" if rest else plural


def _time(match: re.Match[str]) -> str:
    hour, minute, half = match.groups()
    said = "oh " + cardinal(int(minute)) if 0 < int(minute) < 10 else cardinal(int(minute))
    clock = cardinal(int(hour)) + (
        "" if minute == "00" and half else " o'clock" if minute == "00" else " " + said
    )
    return clock + (f" {half} m" if half else "")


def _money(match: re.Match[str]) -> str:
    unit, small = _CURRENCIES[match[1]]
    whole, cents = int(match[2].replace(",", "")), int((match[3] or "0").ljust(2, "0"))
    parts = [_counted(whole, unit)] if whole or not cents else []
    return " and ".join(parts + ([_counted(cents, small)] if cents else []))


def _measure(match: re.Match[str]) -> str:
    unit = _UNITS[match[2].lower()]
    return f"{number(match[1])} {unit if match[1] in ('1', '-1') else _plural(unit)}"


def _decade(match: re.Match[str]) -> str:
    tens = cardinal(int(match[2])) if match[2] != "00" else "hundred"
    return f"{cardinal(int(match[1]))} {tens[:-1] + 'ies' if tens.endswith('y') else tens + 's'}"


def spoken(text: str) -> str:
    """The words of `text` as they are said, lower case, with the marks , . ? ! where they stood.

    Accents are taken off letters; what has no sound (emoji, brackets, other scripts) is left out.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    text = "".join(c for c in plain if not unicodedata.combining(c))
    for short, long in _LATIN:
        text = text.replace(short, long)
    text = _NUMBERED.sub("number ", text)
    text = _TIME.sub(_time, text)
    text = _HOUR.sub(lambda m: f"{cardinal(int(m[1]))} {m[2]} m", text)
    text = _MONEY.sub(_money, text)
    text = _MEASURE.sub(_measure, text)
    text = _ORDINAL.sub(lambda m: ordinal(int(m[1])) if len(m[1]) <= _LONGEST_NUMBER else _digits(m[1]), text)
    text = _DECADE.sub(_decade, text)
    text = _DECIMAL.sub(lambda m: " " + number(m[0]) + " ", text)
    text = _ABBREVIATION.sub(lambda m: _ABBREVIATIONS[m[1].lower()], text)
    text = "".join(_SIGNS.get(c, c) for c in text.translate(_PAUSES)).lower()
    text = re.sub(r"\.{2,}", ",", text)
    text = re.sub(r"\s+", " ", re.sub(r"[^a-z',.?!]", " ", text))
    return re.sub(r" (?=[,.?!])", "", text).strip()
