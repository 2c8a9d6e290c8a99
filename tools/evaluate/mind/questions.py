"""Held-out questions: is the reply to the point? Judged by patterns, printed in full for a person to judge again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, sample, share, shown
from tools.evaluate.mind.scoring import SURPRISING, score, sequence

QUESTIONS = Path(__file__).with_name("questions.yaml")
FIRST = "first thirty"


@dataclass(frozen=True)
class Answered:
    """One question with what was answered; `logprob` is the mean of the reply's tokens, None for silence."""

    character: str
    kind: str
    turns: list[str]
    reply: str
    to_the_point: bool
    logprob: float | None


def to_the_point(reply: str, point: str) -> bool:
    """Whether a reply has what the pattern asks for, from the start of a word on, in any case."""
    return re.search(rf"\b(?:{point})", reply, re.IGNORECASE) is not None


def measure(cast: Cast, quick: bool) -> Figures:
    """Every question in a conversation of its own."""
    table = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    questions = [{"kind": FIRST, **row} for row in table["first_thirty"]] + table["more"]
    answered = [_ask(cast, row, table["evades"]) for row in sample(questions, quick)]
    kinds = dict.fromkeys(row.kind for row in answered)
    return {
        "all": share(row.to_the_point for row in answered),
        "by_kind": {kind: share(row.to_the_point for row in answered if row.kind == kind) for kind in kinds},
        "by_character": {
            name: share(row.to_the_point for row in answered if row.character == name) for name in CHARACTERS
        },
        "surprising_replies": share(row.logprob < SURPRISING for row in answered if row.logprob is not None),
        "answers": [asdict(row) for row in answered],
    }


def evades(reply: str, row: dict, evasions: str) -> bool:
    """Whether a reply only shrugs where that is no answer."""
    shrugs = row["kind"] != FIRST and not row.get("may_evade", False)
    return shrugs and to_the_point(reply, evasions)


def _ask(cast: Cast, row: dict, evasions: str) -> Answered:
    chatter = cast.begin(row["character"])
    reply = [chatter.answer(turn) for turn in row["turns"]][-1]
    logprob = None
    if reply:
        chat = cast.mind.chat
        ids = [*chat.encode(reply.split()), *chat.end]
        found = score(cast.mind, sequence(cast.mind, chatter.prompt), ids)
        logprob = sum(one.logprob for one in found) / len(found)
    good = to_the_point(reply, row["point"]) and not evades(reply, row, evasions)
    return Answered(row["character"], row["kind"], row["turns"], reply, good, logprob)


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    yield Row("held-out questions to the point", shown(found["all"]), ">= 85 %")
    for kind, counted in found["by_kind"].items():
        yield Row(f"  {kind}", shown(counted))
    for name, counted in found["by_character"].items():
        yield Row(f"  {name}", shown(counted))
    yield Row(f"  replies below {SURPRISING:g} nats per token", shown(found["surprising_replies"]))


def details(found: Figures) -> Iterator[str]:
    """Every question and answer, to be read by a person."""
    for row in found["answers"]:
        mark = "yes" if row["to_the_point"] else "NO "
        yield f"{mark} {row['character']:7} {' / '.join(row['turns'])}"
        yield f"            -> {row['reply'] or '(silent)'}"
