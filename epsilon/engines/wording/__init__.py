"""Written text to the words people say: numbers, times, money, units, abbreviations and signs.

The text is read from left to right; where something stands that is not plainly a word, the first rule that fits says
what is said for it (`quantities`, `dates`, `abbreviations`, `signs`). Each said word keeps the place of the written
word it came from, so that whoever speaks can tell how much of the text has been said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from epsilon.engines.wording import abbreviations, dates, quantities, signs
from epsilon.engines.wording.abbreviations import is_abbreviation
from epsilon.engines.wording.numerals import cardinal, ordinal, year
from epsilon.engines.wording.rules import Rule, apply

__all__ = ["Said", "cardinal", "is_abbreviation", "ordinal", "say", "spoken", "year"]

MARKS = "?!.,"  # of several on one word the first of these is heard


class Said(NamedTuple):
    """A word as it is said, the mark behind it, and the place of its written word in `text.split()`.

    Lower case (a-z and apostrophes) but for what may have to be spelt: "NASA", "TV's", "B".
    """

    word: str
    mark: str
    place: int


_LETTERS = {
    "ß": "ss",
    "ø": "o",
    "æ": "ae",
    "œ": "oe",
    "ł": "l",
    "đ": "d",
    "þ": "th",
    "ð": "d",
    "ı": "i",
    "μ": "µ",
}
_ALIKE = str.maketrans(
    _LETTERS
    | {letter.upper(): sound.upper() for letter, sound in _LETTERS.items() if letter in "øæœłđþ"}
    | dict.fromkeys("’‘ʼ`´", "'")
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("‐‑−", "-")
    | dict.fromkeys("™©®", "")
)
_KEPT = frozenset("½⅓⅔¼¾⅕⅖⅗⅘⅙⅛⅜⅝⅞²³µ…°")  # signs with a meaning that would be taken apart
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
_PLAIN = re.compile(r"[A-Za-z]?[a-z]+(?:'[a-z]+)?(?=[ ,!?]|\.?$)(?! \d)")  # most words: no rule is about them
_SPELT = re.compile(r"[A-Z]+(?:'?s)?")
_SHOUTED = re.compile(r"[A-Z]{2,}[,.!?]* [A-Z]{2,}")
_APOSTROPHES = re.compile(r"'(?:em|tis|twas|cause|til|bout|round)(?!\w)", re.I)


def _word(match: re.Match[str]) -> str:
    word = match[0].replace("'n'", " 'n ")  # rock'n'roll
    return word if word != "I" and _SPELT.fullmatch(word) else word.lower()


_WORDS: tuple[Rule, ...] = (
    *signs.ADDRESSES,
    *signs.LETTER_SIGNS,
    *dates.MONTH_RULES,
    *abbreviations.RULES,
    (_WORD, _word),
)
_NUMBERS: tuple[Rule, ...] = (*signs.ADDRESSES, *dates.RULES, *quantities.RULES, *signs.RULES)
_SIGNS: tuple[Rule, ...] = ((_APOSTROPHES, lambda match: match[0].lower()), *dates.RULES, *signs.RULES)
_NUMBER_STARTS = frozenset("+-(.$£€¥₹½⅓⅔¼¾⅕⅖⅗⅘⅙⅛⅜⅝⅞")


def say(text: str) -> list[Said]:
    """What is said for `text`, word by word. Any text is accepted.

    Accents are taken off letters; what has no sound (most pictures, brackets, other scripts) is left out.
    """
    line = " ".join(map(_ascii, text.split()))
    if line.isupper() and _SHOUTED.search(line):  # no word of it is an acronym
        line = line.lower()
    found: list[Said] = []
    for words, start, end in _read(line):
        first, last = line.count(" ", 0, start), line.count(" ", 0, end)
        pieces = words.split()
        for at, piece in enumerate(pieces):
            place = first + at * (last - first + 1) // len(pieces)
            _add(found, piece.rstrip(MARKS), piece, place)
    return found


def spoken(text: str) -> str:
    """The words of `text` as they are said, lower case, with the marks , . ? ! where they stood."""
    return " ".join(f"{said.word.lower()}{said.mark}" for said in say(text))


def _read(line: str) -> Iterator[tuple[str, int, int]]:
    """What is said, and the stretch of `line` that it is said for."""
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        plain = _PLAIN.match(line, at)
        if plain and plain[0].lower() not in abbreviations.KNOWN:
            yield plain[0].lower(), at, plain.end() - 1
            at = plain.end()
        elif (ruled := apply(_rules(line[at]), line, at)) and ruled[1] > at:
            words, end = ruled
            yield words, at, end - 1
            at = end
        else:
            at += 1


def _rules(first: str) -> tuple[Rule, ...]:
    """The rules about what begins with this sign."""
    if first.isascii() and first.isalpha():
        return _WORDS
    return _NUMBERS if first.isdigit() or first in _NUMBER_STARTS else _SIGNS


def _add(found: list[Said], word: str, piece: str, place: int) -> None:
    """A word, or a mark that belongs to the word before it."""
    marks = piece[len(word) :]
    if not word:
        if not found:
            return
        word, before, place = found.pop()
        marks += before
    found.append(Said(word, next((mark for mark in MARKS if mark in marks), ""), place))


def _ascii(word: str) -> str:
    """A written word with plain letters, digits and signs, where that changes nothing of what is said."""
    return word if word.isascii() else "".join(map(_plainly, word.translate(_ALIKE)))


def _plainly(sign: str) -> str:
    if sign.isascii() or sign in _KEPT:
        return sign
    parts = unicodedata.normalize("NFKD", sign)
    kept = [part for part in parts if unicodedata.category(part) not in ("Mn", "Me", "Cf", "Zs")]
    return "".join(str(unicodedata.decimal(part)) if part.isdecimal() else part for part in kept)
