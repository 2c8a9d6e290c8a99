"""Times of day, dates and decades as people say them."""

from __future__ import annotations

import re

from epsilon.engines.wording.numerals import cardinal, decade, ordinal, year
from epsilon.engines.wording.rules import Rule, closing, word_before

MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(
    [month.capitalize() for month in MONTHS] + [month[:3].capitalize() for month in MONTHS] + ["Sept"]
)
_HALF = r"\s?([AaPp])(?:\.\s?[Mm]\.|[Mm]\b)"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s(\d{4})\b)?"
_GOES_ON = "at|in|on|we|it|he|she|they|was|is|and|or|to|with|for|the|as|because|when|but|this|next|last"


def _clock(hour: int, minute: int, half: str | None) -> str:
    said = "oh " + cardinal(minute) if minute < 10 else cardinal(minute)
    if half:
        return f"{cardinal(hour)}{' ' + said if minute else ''} {half.upper()} M"
    if not hour % 24 and not minute:
        return "midnight"
    return f"{cardinal(hour)} {said if minute else _oclock(hour)}"


def _oclock(hour: int) -> str:
    return "o'clock" if 1 <= hour <= 12 else "hundred"


def _time(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return None
    seconds = f" {'oh ' if int(match[3]) < 10 else ''}{cardinal(int(match[3]))}" if match[3] else ""
    return _clock(hour, minute, match[4]) + seconds + closing(match)


def _hour(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2] or 0)
    return _clock(hour, minute, match[3]) + closing(match) if hour <= 24 and minute < 60 else None


def _ratio(match: re.Match[str]) -> str:
    return f"{cardinal(int(match[1]))} to {cardinal(int(match[2]))}"


def _month(written: str) -> str:
    return next(month for month in MONTHS if month.startswith(written[:3].lower()))


def _date(day: int, month: str, of_year: str | None, the: str = "the ") -> str:
    return f"{the}{ordinal(day)} of {month}" + _of_year(of_year)


def _of_year(of_year: str | None) -> str:
    if not of_year:
        return ""
    return " " + (year(int(of_year)) if len(of_year) == 4 else cardinal(int(of_year)))


def _day_first(match: re.Match[str]) -> str | None:
    day = int(match[1])
    the = "" if word_before(match).lower() == "the" else "the "
    return _date(day, _month(match[2]), match[3], the) if 1 <= day <= 31 else None


def _month_first(match: re.Match[str]) -> str | None:
    day = int(match[2])
    return f"{_month(match[1])} {ordinal(day)}{_of_year(match[3])}" if 1 <= day <= 31 else None


def _numeric(match: re.Match[str]) -> str | None:
    """3/5/2026: the day first, unless only the month first makes a date."""
    day, month = int(match[1]), int(match[2])
    if month > 12:
        day, month = month, day
    return _date(day, MONTHS[month - 1], match[3]) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _iso(match: re.Match[str]) -> str | None:
    month, day = int(match[2]), int(match[3])
    return _date(day, MONTHS[month - 1], match[1]) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _decade(match: re.Match[str]) -> str | None:
    century, tens = match[1] or "", match[2]
    if not century and tens < "20":  # 00s and 10s are no decades yet, 10s are ten seconds
        return None
    return decade(century, tens)


RULES: tuple[Rule, ...] = (
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})(?![\w-])", re.A), _iso),
    (re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})(?![\w/])", re.A), _numeric),
    (re.compile(rf"(\d{{1,2}}):(\d{{2}})(?::(\d{{2}}))?(?!\d)(?:{_HALF})?", re.A), _time),
    (re.compile(rf"(\d{{1,2}})(?:\.(\d{{2}}))?{_HALF}", re.A), _hour),
    (re.compile(r"(\d{1,3}):(\d{1,3})(?![\d:])", re.A), _ratio),
    (re.compile(rf"{_DAY}(?:\sof)?\s({_MONTH})\b\.?{_YEAR}", re.A), _day_first),
    (re.compile(r"'?(1[1-9]|20)?(\d0)'?s\b", re.A), _decade),
)
MONTH_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"({_MONTH})\.?\s{_DAY}\b(?![:/.,-]\d)(?!\s?[%°])(?!\s(?!(?:{_GOES_ON})\b)[a-z]){_YEAR}", re.A
        ),
        _month_first,
    ),
)
"""For where a month's name may begin."""
