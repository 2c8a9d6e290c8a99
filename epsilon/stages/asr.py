"""Asr: speech so far to words so far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epsilon.engines.protocols import Recognizer
from epsilon.messages import Message, Remark, Speech, Words
from epsilon.ring import SampleRing
from epsilon.stage import Place, Stage

BREATH = 2.0  # a partial waits until so many times the last one's cost has passed


class Asr(Stage):
    """One pass in flight, and time left between two: partials are skipped under load, the final never is."""

    def __init__(self, place: Place, microphone: SampleRing, recognizer: Recognizer) -> None:
        super().__init__(place)
        self.recognizer = recognizer
        self.reader = microphone.reader()
        self.hearing: Any = None
        self.heard_from = -1  # where the utterance that is heard begins
        self.ready_at_s = 0.0  # when the next partial may be heard

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Remark):
            yield item  # in its order among what is said
            return
        assert isinstance(item, Speech)
        if self._may_skip(item):
            self.counts.skipped += 1
            return
        began_s = self.clock.now()
        if item.start_at != self.heard_from:
            self.hearing, self.heard_from = self.recognizer.start(), item.start_at
            self.reader.seek(item.start_at)
        hypothesis = self.recognizer.hear(
            self.hearing, self.reader.read(max(0, item.end_at - self.reader.at))
        )
        self.ready_at_s = began_s + BREATH * (self.clock.now() - began_s)
        if item.last:
            hypothesis = self.recognizer.finish(self.hearing)
        words = Words(item.mark, hypothesis.committed, hypothesis.tail, item.paused, item.last)
        self.tell("words" if item.last else "partial", item.mark, *_texts(words))
        yield words

    def _may_skip(self, item: Speech) -> bool:
        """A partial that a newer one has overtaken, or that comes too soon; one before a pause is worth more."""
        overtaken = any(len(inbox) for inbox in self.inboxes)
        too_soon = not item.paused and self.clock.now() < self.ready_at_s
        return not item.last and (overtaken or too_soon)


def _texts(words: Words) -> tuple[str, str]:
    return " ".join(words.committed), " ".join(words.tail)
