"""A rig for one stage: a clock moved by hand, a card that only counts, and boxes to look into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from epsilon.clock import ManualClock
from epsilon.devices import CardCounts
from epsilon.messages import Message, News
from epsilon.realtime import Seat
from epsilon.ring import Bell, Ring, SampleRing, Samples
from epsilon.stage import Place, Stage
from epsilon.turn import Turn

Item = TypeVar("Item")


def place() -> Place:
    """A place of its own, on any core."""
    return Place(Seat(), Turn(), ManualClock())


def take_all(ring: Ring[Item]) -> list[Item]:
    """Everything that waits in a ring."""
    items = []
    while (item := ring.take()) is not None:
        items.append(item)
    return items


def connect(stage: Stage) -> tuple[Ring[Message], Ring[Message], Ring[News]]:
    """Rings into and out of a stage, and its news."""
    inbox = stage.inbox()
    stage.outbox = Ring(64, Bell())
    stage.news = Ring(256, Bell())
    return inbox, stage.outbox, stage.news


def results(stage: Stage, items: Iterable[Message]) -> list[Message]:
    """What a stage makes of some messages, in lock-step."""
    inbox, outbox, _ = connect(stage)
    for item in items:
        inbox.put(item)
    while stage.step():
        pass
    return take_all(outbox)


class CountingCard:
    """A card with no time of its own: the test says how much has left."""

    def __init__(self, lead_frames: int = 1600, hears_itself: bool = False) -> None:
        self.block_frames, self.lead_frames, self.hears_itself = 320, lead_frames, hears_itself
        self.gone = False
        self.reference = SampleRing(16_000)
        self.counts = CardCounts()
        self.written: list[Samples] = []
        self.left_frames = 0
        self.silent_frames = 0  # that left while nothing was there
        self.phrases = 0
        self.in_reply = False

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def read(self) -> Samples | None:
        return None

    def write(self, samples: Samples) -> int:
        at = self.left() + self.pending()
        self.written.append(samples)
        return at

    def room(self) -> int:
        return self.lead_frames - self.pending()

    def pending(self) -> int:
        return sum(map(len, self.written)) - self.left_frames

    def left(self) -> int:
        return self.left_frames + self.silent_frames

    def cut(self, fade_ms: float) -> int:
        dropped = self.pending()
        self.written = [np.concatenate(self.written)[: self.left_frames]]
        return dropped

    def begin_phrase(self) -> None:
        self.in_reply = True
        self.phrases += 1

    def end_reply(self) -> None:
        self.in_reply = False

    def time_of(self, frame: int) -> float:
        return frame / 16_000

    def play(self, frames: int) -> None:
        """Let this much leave."""
        self.left_frames += min(frames, self.pending())

    def silence(self, frames: int) -> None:
        """Let so much time pass with nothing to play."""
        assert not self.pending()
        self.silent_frames += frames
