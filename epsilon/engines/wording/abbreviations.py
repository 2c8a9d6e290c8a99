"""Abbreviations, initials, acronyms and Roman numerals as people say them, and whether a dot ends a sentence."""

from __future__ import annotations

import re

from epsilon.engines.wording.numerals import cardinal, ordinal
from epsilon.engines.wording.rules import Rule, closing, word_before

_TITLES = {  # what follows them is a name or a number: their dot never ends a sentence
    "mr": "mister",
    "mrs": "missus",
    "ms": "miz",
    "dr": "doctor",
    "prof": "professor",
    "st": "saint",
    "mt": "mount",
    "rev": "reverend",
    "capt": "captain",
    "sgt": "sergeant",
    "lt": "lieutenant",
    "vs": "versus",
    "approx": "approximately",
    "e.g": "for example",
    "i.e": "that is",
    "cf": "compare",
}
_OTHERS = {  # these may end a sentence: it is over when a capital follows
    "etc": "et cetera",
    "jr": "junior",
    "sr": "senior",
    "inc": "incorporated",
    "ltd": "limited",
    "dept": "department",
    "ave": "avenue",
    "rd": "road",
    "blvd": "boulevard",
    "a.k.a": "A K A",
    "ph.d": "P H D",
    "a.m": "A M",
    "p.m": "P M",
}
_DAYS = dict(  # and months, in capitals only: they wed. Wed. is a day
    zip(
        "jan feb apr aug sept oct nov dec mon tue wed thu fri".split(),
        "january february april august september october november december monday tuesday wednesday thursday "
        "friday".split(),
        strict=True,
    )
)
_BEFORE_NUMBERS = {  # elsewhere they are words, as in: No. I ate a fig.
    "no": "number",
    "nos": "numbers",
    "p": "page",
    "pp": "pages",
    "fig": "figure",
    "vol": "volume",
    "ch": "chapter",
}
_UNITS = frozenset("ft in lb lbs oz min mins sec secs hr hrs".split())  # read by `quantities`
KNOWN = _TITLES | _OTHERS
_WITHOUT_DOT = {"mr", "mrs", "dr", "vs", "etc", "jr", "sr", "prof", "st"}  # as they are also written
_SHORT = {"w/o": "without", "w/out": "without", "w/": "with", "b/c": "because", "c/o": "care of"}
_NUMBERED = frozenset(  # words before a Roman number that is not a rank
    "act apollo article book bowl chapter class appendix episode figure game grade lesson level mark number page "
    "part phase round scene season section stage step table title type unit verse version volume war".split()
)
_KINGS = frozenset(  # names before which even a lone I, V or X is a rank
    "alexander catherine charles edward elizabeth frederick george henry ivan james john louis mary napoleon "
    "nicholas otto paul peter philip pius richard robert victoria william wilhelm".split()
)
_ROMAN = {"I": 1, "V": 5, "X": 10}
_LETTERS_BEFORE = frozenset("letter grade vitamin plan team type class group option part section".split())


def is_abbreviation(word: str, before: str, following: str) -> bool:
    """Whether the dot at the end of a written word belongs to it and ends nothing.

    `before` is the word before it, `following` the first sign of the word after it ("" at the end of the text).
    """
    name = word.strip("\"'()[]").lower().rstrip(".")
    if not following:
        return False
    if name in _TITLES or (name in _BEFORE_NUMBERS and following.isdigit()):
        return True
    if name in _OTHERS or (name in _DAYS and word[0].isupper()) or (name in _UNITS and before[-1:].isdigit()):
        return following.islower() or following.isdigit()
    letters = word.strip("\"'()[].").replace(".", "")
    return re.fullmatch(r"(?:[a-z]\.)*[a-z]", name) is not None and _is_initial(letters, before)


def _is_initial(letters: str, before: str) -> bool:
    """A capital with a dot is part of a name, but not in `plan B.` or `a B.`; several, as in U.S., always."""
    return len(letters) > 1 or (
        letters.isupper() and letters != "I" and before.lower() not in _LETTERS_BEFORE | {"a", "an", "the"}
    )


def _dotted(match: re.Match[str]) -> str | None:
    name = match[1].lower()
    if name in _BEFORE_NUMBERS:
        return _BEFORE_NUMBERS[name] if re.match(r"\s?\d", match.string[match.end() :]) else None
    if name in _DAYS and match[1][0].isupper():
        return _DAYS[name] + closing(match)
    if name not in KNOWN:
        return None
    return _long(name, match) + (closing(match) if name in _OTHERS or _is_last(match) else "")


def _long(name: str, match: re.Match[str]) -> str:
    """`St.` is a saint before a name and a street after one, `Dr.` a doctor or a drive."""
    if name in ("st", "dr") and word_before(match)[:1].isupper():
        named = re.match(r"\s[A-Z]", match.string[match.end() :])
        if not named:
            return {"st": "street", "dr": "drive"}[name]
    return KNOWN[name]


def _plain(match: re.Match[str]) -> str | None:
    name = match[0].lower()
    if name not in _WITHOUT_DOT or (name in ("st", "sr", "jr") and not match[0][0].isupper()):
        return None
    return _long(name, match)


def _initials(match: re.Match[str]) -> str:
    return " ".join(match[0].replace(".", "").upper()) + (closing(match) if _is_last(match) else "")


def _is_last(match: re.Match[str]) -> bool:
    return not match.string[match.end() :].strip(" \"')]")


def _initial(match: re.Match[str]) -> str | None:
    return match[1] if _is_initial(match[1], word_before(match)) else None


def _roman(match: re.Match[str]) -> str | None:
    """Chapter IV is chapter four, Henry VIII is Henry the eighth; anything else is no number."""
    before = word_before(match)
    value = _value(match[1])
    possessive = match[2] or ""
    if not before or value is None:
        return None
    if before.lower() in _NUMBERED:
        return None if match[1] == "I" and _goes_on(match) else cardinal(value) + possessive
    if not before[0].isupper() or not before[1:].islower():
        return None
    if len(match[1]) == 1 and (before.lower() not in _KINGS or (match[1] == "I" and _goes_on(match))):
        return None
    return f"the {ordinal(value)}{possessive}"


def _goes_on(match: re.Match[str]) -> bool:
    """A word follows that makes of a lone I somebody who speaks: Mary I think."""
    return bool(re.match(r"\s(?!was|of|and|the|died|became)[a-z']", match.string[match.end() :]))


def _value(roman: str) -> int | None:
    if not re.fullmatch(r"X{0,3}(?:IX|IV|V?I{0,3})", roman):
        return None
    values = [_ROMAN[letter] for letter in roman]
    return sum(-one if one < max(values[at:]) else one for at, one in enumerate(values))


def _article(match: re.Match[str]) -> str:
    """A capital A is the article but at the end of a clause, or after `letter` and the like."""
    last = re.match(r"\s*(?:[.,!?;:]|$)", match.string[match.end() :])
    return "A" if last or word_before(match).lower() in _LETTERS_BEFORE else "a"


RULES: tuple[Rule, ...] = (
    (re.compile(r"(?:w/o(?:ut)?|w/|b/c|c/o)(?![^\s,.])", re.I), lambda match: _SHORT[match[0].lower()]),
    (re.compile(r"(e\.g|i\.e|a\.k\.a|ph\.d|[ap]\.m)(?:\.|\b)", re.I), _dotted),
    (re.compile(r"(?:[A-Za-z]\.){2,}(?![A-Za-z]{2})"), _initials),
    (re.compile(r"([A-Z])\.(?=\s?[A-Z])"), _initial),
    (re.compile(r"([A-Za-z]{2,6}|p)\."), _dotted),
    (re.compile(r"[A-Za-z]{2,4}(?![A-Za-z'])"), _plain),
    (re.compile(r"([IVX]+)('s)?(?![\w'])"), _roman),
    (re.compile(r"A(?![\w'.&-])"), _article),
    (re.compile(r"[A-Z]+(?=[\d&])|(?<=[\d&])[A-Z]+(?![a-z])"), lambda match: " ".join(match[0])),
)
