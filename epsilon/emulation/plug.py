"""A sound card at the end of a plug: it can be pulled out and put in; a toy that starts anew takes it up as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from epsilon.clock import Clock
from epsilon.devices import Card, CardCounts
from epsilon.errors import DeviceError
from epsilon.ring import SampleRing, Samples

NOTICED_S = 0.5  # a card that gives no sound for so long is gone


class Plug:
    """See Card. Its frame 0 is the first that it gives: what comes before that, nobody hears.

    Raises DeviceError when it is opened while it is out, and when it has been out for a while.
    """

    hears_itself = gone = False

    def __init__(self, card: Card, clock: Clock, is_in: Callable[[float], bool]) -> None:
        self._card, self._clock, self._is_in = card, clock, is_in
        self.block_frames, self.lead_frames = card.block_frames, card.lead_frames
        self.reference: SampleRing = card.reference
        self.first, self._opened_s = 0, 0.0  # first: the frame of the card that is its frame 0

    @property
    def counts(self) -> CardCounts:
        """Those of the card."""
        return self._card.counts

    def start(self) -> None:
        if not self._is_in(self._clock.now()):
            raise DeviceError("no microphone and no speaker among the sound cards", "unplugged")
        if self._clock.now() == 0:
            self._card.start()
        while self.reference.written + self.block_frames <= self._card.left():
            self._card.read()
        self.first, self._opened_s = self.reference.written, self._clock.now()

    def stop(self) -> None: ...

    def read(self) -> Samples | None:
        now_s = self._clock.now()
        if now_s - NOTICED_S >= self._opened_s and not self._is_in(now_s - NOTICED_S):
            self._card.cut(0.0)
            raise DeviceError("gives no sound any more", "unplugged", "is it plugged in?")
        block = self._card.read()
        return np.zeros_like(block) if block is not None and not self._is_in(now_s) else block

    def write(self, samples: Samples) -> int:
        return self._card.write(samples) - self.first

    def room(self) -> int:
        return self._card.room()

    def pending(self) -> int:
        return self._card.pending()

    def left(self) -> int:
        return self._card.left() - self.first

    def cut(self, fade_ms: float) -> int:
        return self._card.cut(fade_ms)

    def begin_phrase(self) -> None:
        self._card.begin_phrase()

    def end_reply(self) -> None:
        self._card.end_reply()

    def time_of(self, frame: int) -> float:
        return self._card.time_of(frame + self.first)
