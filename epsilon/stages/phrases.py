"""Phrases: cuts the reply's text into pieces that can be spoken before the rest is thought."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epsilon.messages import Message, Phrase, Token
from epsilon.stage import Place, Stage
from epsilon.turn import Mark

CLAUSE_END = re.compile(r"[,;:.!?…]+[\"')\]]*(?=\s)")  # only what is followed by a space is surely an end
CONJUNCTION = re.compile(  # not before the third word: "and so it was" is one thought
    r"\S\s+\S+(?=\s+(?:and|but|because|so|or|when|while|if|that|which|then)\s)"
)
FIRST_WORDS = 5  # the first phrase leaves after this many words at the latest
LATER_WORDS = 14  # what a breath holds


class Cutter:
    """Where a growing text may be cut: first early, so that sound can start, later at clauses."""

    def __init__(self) -> None:
        self.text = ""
        self.first = True

    def push(self, piece: str) -> Iterator[str]:
        """Add a piece of text; yields the phrases that are complete."""
        self.text += piece
        while (end := self._end()) is not None:
            phrase, self.text = self.text[:end].strip(), self.text[end:]
            if phrase:
                self.first = False
                yield phrase

    def finish(self) -> str:
        """What is left when the text has ended."""
        phrase, self.text = self.text.strip(), ""
        return phrase

    def _end(self) -> int | None:
        """The earliest place to cut, so that it does not matter in which pieces the text came."""
        words = list(re.finditer(r"\S+(?=\s)", self.text))
        limit = FIRST_WORDS if self.first else LATER_WORDS
        ends = [words[limit - 1].end()] if len(words) >= limit else []
        breaks = (CLAUSE_END, CONJUNCTION) if self.first else (CLAUSE_END,)
        ends += [found.end() for pattern in breaks if (found := pattern.search(self.text))]
        return min(ends, default=None)


class Phrases(Stage):
    """Turns tokens into phrases; the last of a reply may be empty and only say that it is the last."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.mark: Mark | None = None
        self.cutter = Cutter()
        self.index = 0
        self.told = False  # whoever watches knows that the first phrase has left

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Token)
        if item.mark != self.mark:
            self.mark, self.cutter, self.index, self.told = item.mark, Cutter(), 0, False
        if item.clip is not None:
            yield Phrase(item.mark, 0, item.text, last=False, clip=item.clip)
            self.index = 1
            return
        for text in self.cutter.push(item.text):
            yield self._phrase(item.mark, text, last=False)
        if item.last:
            yield self._phrase(item.mark, self.cutter.finish(), last=True)

    def _phrase(self, mark: Mark, text: str, last: bool) -> Phrase:
        if not self.told:
            self.told = True
            self.tell("phrase", mark, text)
        self.index += 1
        return Phrase(mark, self.index - 1, text, last)
