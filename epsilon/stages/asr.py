"""Asr: speech so far to words so far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epsilon.engines.protocols import Recognizer
from epsilon.messages import Message, Speech, Words
from epsilon.ring import SampleRing
from epsilon.stage import Place, Stage


class Asr(Stage):
    """Keeps one pass in flight: a partial that a newer one has overtaken is skipped, the final never is."""

    def __init__(self, place: Place, microphone: SampleRing, recognizer: Recognizer) -> None:
        super().__init__(place)
        self.recognizer = recognizer
        self.reader = microphone.reader()
        self.hearing: Any = None
        self.heard_turn = 0

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Speech)
        if not item.last and any(len(inbox) for inbox in self.inboxes):
            self.counts.skipped += 1
            return
        if item.mark.turn != self.heard_turn:
            self.hearing, self.heard_turn = self.recognizer.start(), item.mark.turn
            self.reader.seek(item.start_at)
        hypothesis = self.recognizer.hear(
            self.hearing, self.reader.read(max(0, item.end_at - self.reader.at))
        )
        if item.last:
            hypothesis = self.recognizer.finish(self.hearing)
        words = Words(item.mark, hypothesis.committed, hypothesis.tail, item.paused, item.last)
        self.tell("words" if item.last else "partial", item.mark, *_texts(words))
        yield words


def _texts(words: Words) -> tuple[str, str]:
    return " ".join(words.committed), " ".join(words.tail)
