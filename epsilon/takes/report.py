"""Says what a comparison found: in words, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epsilon.takes.checks import LOCKSTEP
from epsilon.takes.comparison import RATE_HZ, Difference, Verdict
from epsilon.takes.folder import Take, header_of
from epsilon.takes.written import Json
from epsilon.toy import Toy

LONGEST = 300


def changes(take: Take, toy: Toy) -> list[str]:
    """What is not as it was when the take was made: machine, versions, models, settings."""
    now = header_of(toy, take.pace, [], "")
    found: list[str] = []
    for part in ("machine", "versions", "models", "character", "board"):
        found += _changes(part, take.header[part], now[part])
    return found


def _changes(where: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from _changes(f"{where}.{key}", then.get(key), now.get(key))
    elif then != now:
        yield f"{where} was {_short(then)}, is {_short(now)}"


def verdict_lines(take: Take, verdict: Verdict, changed: list[str]) -> Iterator[str]:
    """What was found, the most important first."""
    for change in changed:
        yield f"changed since the take: {change}"
    if verdict.identical:
        yield f"the same to the bit: {verdict.count} messages"
        return
    if verdict.difference is not None:
        yield from _difference_lines(verdict.difference)
    else:
        yield f"words, decisions and order are the same: {verdict.count} messages"
    for what, drift in sorted(verdict.drifts.items()):
        yield f"drift: {what}: {drift.count} of them, at most {drift.most:.4g}"
    if not changed and take.pace == LOCKSTEP:
        yield "nothing has changed since the take was made: every bit should be the same"


def _difference_lines(difference: Difference) -> Iterator[str]:
    yield f"first difference, at {difference.at_s:.2f} s:"
    for line in difference.before:
        yield f"  both     {shown(line)}"
    ours, theirs = difference.taken, difference.found
    if ours is None or theirs is None:
        yield f"  take     {shown(ours) if ours else '(nothing more)'}"
        yield f"  replay   {shown(theirs) if theirs else '(nothing more)'}"
        return
    yield f"  take     {shown(ours, difference.keys)}"
    yield f"  replay   {shown(theirs, difference.keys)}"


def shown(line: Json, keys: tuple[str, ...] = ()) -> str:
    """A message in a line: from whom to whom, and its fields, or only those named."""
    message = line["message"]
    fields = {key: value for key, value in message.items() if key not in ("kind", "mark")}
    wanted = {key: fields[key] for key in keys if key in fields} or fields
    told = ", ".join(f"{key}={_short(value)}" for key, value in wanted.items())
    turn, revision = message["mark"]
    text = (
        f"{line['at'] / RATE_HZ:7.2f} s  {line['ring']}  {message['kind']} of turn {turn}.{revision}: {told}"
    )
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return repr(" ".join(value))
    return repr(value)
