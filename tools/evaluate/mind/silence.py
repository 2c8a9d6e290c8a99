"""Who is spoken to: silent for what is overheard, answering what is said to the toy, at the start and within a talk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from epsilon.engines.llm.conversation import USER
from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, sample, share, shown

LINES = Path(__file__).with_name("silence.yaml")
OTHER = "other"  # the speaker who is known not to talk to the toy
FIRST = "first twelve"


@dataclass(frozen=True)
class Judged:
    """A line and whether the toy did right; `overheard` lines want silence, the others an answer."""

    kind: str
    text: str
    overheard: bool
    within: bool
    reply: str

    @property
    def right(self) -> bool:
        return self.overheard is not bool(self.reply)


class Listener:
    """Says lines to characters in fresh conversations, with or without two turns before."""

    def __init__(self, cast: Cast, before: list[list[str]]) -> None:
        self.cast = cast
        self._before = before
        self._answered: dict[tuple[str, int], list[tuple[str, str]]] = {}

    def hear(self, name: str, place: int, text: str, within: bool, speaker: str = USER) -> str:
        """The reply to the line number `place`."""
        chatter = self.cast.begin(name)
        for said, reply in self._conversation(name, place % len(self._before)) if within else ():
            chatter.remember(said, reply)
        return chatter.answer(text, speaker)

    def _conversation(self, name: str, number: int) -> list[tuple[str, str]]:
        """The turns before, answered once."""
        if (name, number) not in self._answered:
            chatter = self.cast.begin(name)
            self._answered[name, number] = [(said, chatter.answer(said)) for said in self._before[number]]
        return self._answered[name, number]


def measure(cast: Cast, quick: bool) -> Figures:
    """Every line to both characters, at the start and within a conversation."""
    table = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    listener = Listener(cast, table["before"])
    lines = [(kind, text, True) for kind, part in table["overheard"].items() for text in part["asides"]]
    lines += [(kind, text, False) for kind, part in table["spoken to"].items() for text in part["addressed"]]
    lines = sample(lines, quick)
    plain = [
        Judged(kind, text, overheard, within, listener.hear(name, place, text, within))
        for name in CHARACTERS
        for within in (False, True)
        for place, (kind, text, overheard) in enumerate(lines)
    ]
    marked: list[Judged] = []
    if OTHER in cast.mind.chat.speakers:
        marked = [
            Judged(kind, text, True, within, listener.hear(name, place, text, within, OTHER))
            for name in CHARACTERS
            for within in (False, True)
            for place, (kind, text, overheard) in enumerate(lines)
            if overheard
        ]
    return figures(plain, marked)


def figures(plain: list[Judged], marked: list[Judged]) -> Figures:
    """Rates of both kinds, their mean (the balanced accuracy), and what was wrong."""
    quiet = share(row.right for row in plain if row.overheard)
    spoke = share(row.right for row in plain if not row.overheard)
    kinds = dict.fromkeys((row.kind, row.overheard) for row in plain)
    return {
        "balanced": _balanced(plain),
        "balanced_at_the_start": _balanced([row for row in plain if not row.within]),
        "balanced_within": _balanced([row for row in plain if row.within]),
        "overheard_silent": quiet,
        "addressed_answered": spoke,
        "marked_other_silent": share(row.right for row in marked),
        "by_kind": {
            f"{'overheard' if overheard else 'addressed'}, {kind}": share(
                row.right for row in plain if (row.kind, row.overheard) == (kind, overheard)
            )
            for kind, overheard in kinds
        },
        "wrong": [vars(row) for row in plain if not row.right],
    }


def _balanced(judged: list[Judged]) -> float:
    rates = [share(row.right for row in judged if row.overheard is overheard) for overheard in (True, False)]
    return sum(rate["share"] or 0.0 for rate in rates) / 2


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    yield Row("silence, balanced accuracy", f"{100 * found['balanced']:.0f} %", ">= 90 %")
    yield Row("  at the start of a conversation", f"{100 * found['balanced_at_the_start']:.0f} %")
    yield Row("  within one", f"{100 * found['balanced_within']:.0f} %")
    yield Row("  silent for what is overheard", shown(found["overheard_silent"]))
    yield Row("  answers when spoken to", shown(found["addressed_answered"]))
    yield Row("  silent for lines marked <other>", shown(found["marked_other_silent"]))
    for kind, counted in found["by_kind"].items():
        yield Row(f"    {kind}", shown(counted))


def details(found: Figures) -> Iterator[str]:
    """Every line that was taken wrongly."""
    for row in found["wrong"]:
        where = "within" if row["within"] else "at the start"
        yield f"{'answered' if row['overheard'] else 'silent for'} ({where}): {row['text']} -> {row['reply']}"
