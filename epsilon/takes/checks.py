"""What the files of a take must look like; a damaged one is refused with its place, and never plays half."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from epsilon.duplex import Acoustics, Duplex
from epsilon.errors import EpsilonError, nearest
from epsilon.hardware.senses import Readings
from epsilon.takes.written import Json

FORMAT = 1
LOCKSTEP, REALTIME, BOARD = PACES = (
    "lockstep",
    "realtime",
    "board",
)  # the last: lock-step that takes a board's time
MOST_READINGS = 1000

Check = Callable[[Any], bool]


class TakeError(EpsilonError):
    """A take cannot be written, or what lies in its folder is none."""


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _switch(value: Any) -> bool:
    return isinstance(value, bool)


def _table(value: Any) -> bool:
    return isinstance(value, dict)


def _named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_READINGS and all(map(_number, value))


def _acoustics(value: Any) -> bool:
    if value is None:
        return True
    kinds = {field.name: _text if field.type == "str" else _number for field in fields(Acoustics)}
    if not isinstance(value, dict) or value.keys() != kinds.keys():
        return False
    known = value["duplex"] in [one.value for one in Duplex]
    return known and all(kinds[name](one) for name, one in value.items())


def _message(value: Any) -> bool:
    if not (isinstance(value, dict) and isinstance(value.get("kind"), str) and _mark(value.get("mark"))):
        return False
    if value["kind"] == "News":
        return _text(value.get("what")) and _text(value.get("text")) and _number(value.get("time_s"))
    return value["kind"] != "Sound" or (_whole(value.get("index")) and _sound(value.get("samples")))


def _sound(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _whole(value.get("frames"))
        and _number(value.get("level_db"))
        and _text(value.get("sha"))
    )


def _mark(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)


def _looked(value: Any) -> bool:
    return value is None or isinstance(value, bool) or _whole(value) or _mark(value) or _felt(value)


def _felt(value: Any) -> bool:
    """Battery in percent, whether it is charged, heat; None what is not known."""
    if not (isinstance(value, list) and len(value) == len(fields(Readings))):
        return False
    percent, charging, celsius = value
    return isinstance(charging, bool) and all(one is None or _number(one) for one in (percent, celsius))


def _reads(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(kept, list) and all(map(_reading, kept)) for kept in value.values()
    )


def _heard_reads(value: Any) -> bool:
    return _reads(value) and all(map(_pair, value.get("now", ())))


def _reading(value: Any) -> bool:
    return _pair(value) or _number(value) or _looked(value)


def _pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _whole(value[0]) and _number(value[1])


HEADER: dict[str, tuple[Check, str]] = {
    "format": (_whole, "a whole number"),
    "pace": (lambda value: value in PACES, " or ".join(PACES)),
    "ended": (_text, "how it ended, in words"),
    "frames": (_whole, "a whole number"),
    "start_s": (_number, "a number of seconds"),
    "hears_itself": (_switch, "true or false"),
    "acoustics": (_acoustics, "what was measured of the card, or null"),
    "board": (_named, "a table with a name"),
    "character": (_named, "a table with a name"),
    "models": (_texts, "a checksum for each model"),
    "versions": (_texts, "a version for each library"),
    "machine": (_texts, "a table of words"),
    "first_readings": (_numbers, f"at most {MOST_READINGS} numbers of seconds"),
}
ANY_LINE: dict[str, tuple[Check, str]] = {
    "n": (_whole, "a whole number"),
    "t": (_number, "a number of seconds"),
}
MESSAGE: dict[str, tuple[Check, str]] = {
    "at": (_whole, "a frame"),
    "ring": (_text, "from whom to whom"),
    "message": (_message, "a message: a kind, a mark [turn, revision], and what belongs to its kind"),
}
SEEN: dict[str, tuple[Check, str]] = {
    "at": (_whole, "a frame"),
    "seen": (_text, "what was seen"),
    "by": (_text, "a stage"),
    "value": (_looked, "a switch, a step, a mark or readings"),
}
WORK: dict[str, tuple[Check, str]] = {
    "stage": (_text, "a stage"),
    "turns": (_whole, "a whole number"),
    "puts": (_whole, "a whole number"),
    "stale": (_whole, "a whole number"),
    "reads": (_reads, "the readings by name"),
}
TOOK: dict[str, tuple[Check, str]] = {"took": (_whole, "an inbox"), "left": (_whole, "a whole number")}
HEARD: dict[str, tuple[Check, str]] = {
    "heard": (_whole, "a frame"),
    "reads": (_heard_reads, "the readings by name, each with a frame"),
}


def check_header(header: Json, where: str) -> None:
    """TakeError when take.json lacks something that playing again needs."""
    version = header.get("format")
    if _whole(version) and version != FORMAT:
        raise TakeError(f"its format is {version}; this program reads {FORMAT}", where)
    _check(header, HEADER, where)


def check_line(line: Json, where: str) -> None:
    """TakeError when a line of messages.jsonl is neither a message, nor work, nor something seen."""
    _check(line, ANY_LINE, where)
    if "ring" in line:
        _check(line, MESSAGE, where)
    elif "seen" in line:
        _check(line, SEEN, where)
    else:
        _check(line, WORK, where)
        if "took" in line:
            _check(line, TOOK, where)
        if line["stage"] == "vad":
            _check(line, HEARD, where)


def parsed(text: str, where: str) -> Json:
    """The JSON object in a text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as refusal:
        raise TakeError(f"is no JSON: {refusal}", where) from refusal
    if not isinstance(found, dict):
        raise TakeError("should be a JSON object", where)
    return found


def _check(table: Json, wanted: dict[str, tuple[Check, str]], where: str) -> None:
    for key, (fits, what) in wanted.items():
        if key not in table:
            raise TakeError(f"the key '{key}' is missing{nearest(key, table)}", where)
        if not fits(table[key]):
            raise TakeError(f"'{key}' should be {what}, not {table[key]!r:.60}", where)
