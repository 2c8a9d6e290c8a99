"""Signs, addresses and pictures: what has a sound, and what is only for the eye."""

from __future__ import annotations

import re

from epsilon.engines.wording.numerals import digits, number
from epsilon.engines.wording.rules import Rule

_ENDINGS = "com org net edu gov io uk de fr eu info app dev tv me txt pdf wav html py yaml".split()
_IN_ADDRESS = {".": " dot ", "@": " at ", "/": " slash ", "-": " dash ", "_": " underscore ", ":": " "}
_LAUGHTER = "😂🤣😆😹😄😁"  # these faces make a sound; all other pictures are for the eye
_SCREAMS = "😱🙀"
_CHEERS = "🎉🥳"
_HEARTS = "❤♥💕💖💗💙💚💛💜🧡"
_SIGNS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "%": "percent",
    "‰": "per thousand",
    "°": "degrees",
    "×": "times",
    "÷": "divided by",
    "√": "the square root of",
    "π": "pi",
    "∞": "infinity",
    "≈": "about",
    "±": "plus or minus",
    "≤": "is at most",
    "≥": "is at least",
    "≠": "is not",
    "²": "squared",
    "³": "cubed",
    "€": "euros",
    "£": "pounds",
    "¢": "cents",
    "№": "number",
}


def _address(match: re.Match[str]) -> str | None:
    """toy@example.org is toy at example dot org; what is before the name of a page is not said."""
    plain = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", match[0], flags=re.I).rstrip("/")
    if re.fullmatch(r"[\d.,:]*", plain):
        return None
    numbers = re.sub(r"\d+", lambda found: f" {_digits(found[0])} ", plain)
    spelt = "".join(_IN_ADDRESS.get(sign, sign) for sign in numbers)
    return " ".join(re.sub(r"[^a-z ]", " ", spelt.lower()).split())


def _digits(written: str) -> str:
    return number(written) if len(written) < 3 else digits(written)


def _heart(match: re.Match[str]) -> str:
    """Between two words it is a verb: I ❤ puddles."""
    before = match.string[: match.start()].rstrip().split(" ")[-1].lower()
    return "love" if before in ("i", "we", "you", "they") and match.string[match.end() :].strip() else ""


def _mark(match: re.Match[str]) -> str:
    """Of several marks a question or an exclamation is heard, else a full stop; dots leave a sentence open."""
    marks = match[0]
    for mark in "?!":
        if mark in marks:
            return mark
    return "." if "." in marks and ".." not in marks and "…" not in marks else ","


ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.A), _address),
    (re.compile(r"(?:https?://|www\.)[^\s<>\"]*[\w/]", re.A | re.I), _address),
    (re.compile(rf"(?:[\w-]+\.)+(?:{'|'.join(_ENDINGS)})(?![\w.-]*\w)(?:/[^\s<>\"]*[\w/])?", re.A), _address),
)
"""For where a word or a number may begin."""

LETTER_SIGNS: tuple[Rule, ...] = (
    (re.compile(r"(?<=\d\s)x\s(?=\d)"), lambda match: "times"),
    (re.compile(r"(?<=\d)x(?=\d)"), lambda match: "by"),
    (re.compile(r"(?<!\S)[xX]D+(?!\w)"), lambda match: ""),
)
"""For where a word may begin."""

RULES: tuple[Rule, ...] = (
    (re.compile(r"&c\b\.?"), lambda match: "et cetera"),
    (re.compile(r"(?<!\S)(?:[:;=][-'^]?[()DPpOo3|/\\]+|<3|[)(]-?[:;=])(?!\S)"), lambda match: ""),
    (re.compile(r"[.,;:!?…]+"), _mark),
    (re.compile(r"'n'(?!\w)"), lambda match: "'n"),
    (re.compile(r"(?:(?<=[\d%°])|(?<=\d[ap]m))[-–—](?=[$£€¥]?\d)|(?<=\d\s)–\s(?=\d)"), lambda match: "to"),
    (re.compile(r"(?<=\d\s)-\s(?=\d)"), lambda match: "minus"),
    (re.compile(r"(?<=\d\s)\*\s(?=\d)|(?<=\d)\*(?=\d)"), lambda match: "times"),
    (re.compile(r"(?<=\d\s)<(?=\s?\d)|(?<=\d)<(?=\d)"), lambda match: "is less than"),
    (re.compile(r"(?<=\d\s)>(?=\s?\d)|(?<=\d)>(?=\d)"), lambda match: "is more than"),
    (re.compile(r"\^2(?!\d)"), lambda match: "squared"),
    (re.compile(r"\^(?=\d)"), lambda match: "to the power of"),
    (re.compile(r"#(?=\d)"), lambda match: "number"),
    (re.compile(r"~(?=\d)"), lambda match: "about"),
    (re.compile(r"[—–]+|--+|(?<!\S)-(?!\S)|(?<=\s)[(\[]|[)\]](?=\s)|•"), lambda match: ","),
    (re.compile(rf"[{_LAUGHTER}][\s{_LAUGHTER}]*"), lambda match: "haha"),
    (re.compile(rf"[{_SCREAMS}]+"), lambda match: "aah"),
    (re.compile(rf"[{_CHEERS}]+"), lambda match: "hooray"),
    (re.compile(rf"[{_HEARTS}]+"), _heart),
    (re.compile(rf"[{re.escape(''.join(_SIGNS))}]"), lambda match: _SIGNS[match[0]]),
)
