"""What a rule of wording is: a pattern, and what people say for what it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]
"""The words may hold the marks , . ? ! and, in capitals, letters that are spelt. None lets the next rule try."""


def apply(rules: Sequence[Rule], line: str, at: int) -> tuple[str, int] | None:
    """What the first rule that fits `line` at `at` says, and where it ends."""
    for pattern, say in rules:
        if (match := pattern.match(line, at)) and (words := say(match)) is not None:
            return words, match.end()
    return None


def closing(match: re.Match[str]) -> str:
    """The full stop of an abbreviation that also ends its sentence, else nothing."""
    rest = match.string[match.end() :].lstrip("\"')]")
    ends = not rest.strip() or (rest[0] == " " and rest.lstrip(" \"'(")[:1].isupper())
    return "." if match[0].endswith(".") and ends else ""


def word_before(match: re.Match[str]) -> str:
    """The written word before a match, without the signs around it; "" at the start."""
    before = match.string[: match.start()].split()
    return before[-1].strip("\"'([") if before else ""
