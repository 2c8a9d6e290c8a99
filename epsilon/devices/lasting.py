"""A card that may be unplugged: time goes on in silence until it is back, and nobody behind it needs to know."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import numpy as np

from epsilon.clock import Clock
from epsilon.config.board import Audio
from epsilon.devices import Card, CardCounts, open_card
from epsilon.errors import DeviceError
from epsilon.ring import SampleRing, Samples

RATE_HZ = 16_000
REFERENCE_FRAMES = 8 * RATE_HZ
AGAIN_S = 0.5  # between two looks whether it is back

log = logging.getLogger(__name__)


class LastingCard:
    """See Card. It opens what `open_anew` gives whenever the card before has gone.

    Frames count on over all cards: one that is back begins at the frame at which it was found. While there is none,
    blocks of silence come when they are due, there is no room for sound, and nothing leaves.
    """

    def __init__(self, first: Card, open_anew: Callable[[], Card], clock: Clock) -> None:
        self.block_frames, self.lead_frames = first.block_frames, first.lead_frames
        self.hears_itself = first.hears_itself
        self.reference = SampleRing(REFERENCE_FRAMES)
        self._open_anew, self._clock = open_anew, clock
        self._card: Card | None = first
        self._lost = CardCounts()  # at the cards before this one
        self._read_frames = self._offset = 0  # of the frames read, those before this card
        self._start_s = self._look_s = 0.0
        self._mute: DeviceError | None = None  # why the speaker fails; whoever reads gives up the card
        self._stopped = False

    @property
    def gone(self) -> bool:
        """True while there is no card."""
        return self._card is None

    @property
    def counts(self) -> CardCounts:
        """What was lost at all cards; silence while there is none is counted by nobody."""
        card, lost = self._card, self._lost
        here = card.counts if card is not None else CardCounts()
        return CardCounts(lost.overruns + here.overruns, lost.underruns + here.underruns)

    def start(self) -> None:
        """Open the first; DeviceError when it cannot be."""
        assert self._card is not None
        self._card.start()
        self._start_s = self._card.time_of(0)

    def stop(self) -> None:
        self._stopped = True
        if (card := self._card) is not None:
            card.stop()

    def read(self) -> Samples | None:
        card = self._card
        if card is not None:
            try:
                if self._mute is not None:
                    raise self._mute
                return self._taken(card, card.read())
            except DeviceError as loss:
                self._lose(card, loss)
        end_s = self.time_of(self._read_frames + self.block_frames)
        if not self._stopped and end_s > self._clock.now():
            self._clock.sleep_until(end_s)
        if self._stopped:
            return None
        if self._clock.now() >= self._look_s:
            self._look()
        silence: Samples = np.zeros(self.block_frames, np.float32)
        self.reference.write(silence)
        self._read_frames += self.block_frames
        return silence

    def write(self, samples: Samples) -> int:
        card = self._card
        return card.write(samples) + self._offset if card is not None else self._read_frames

    def room(self) -> int:
        card = self._card
        try:
            return card.room() if card is not None and self._mute is None else 0
        except DeviceError as loss:
            self._mute = loss
            return 0

    def pending(self) -> int:
        card = self._card
        return card.pending() if card is not None else 0

    def left(self) -> int:
        card = self._card
        return card.left() + self._offset if card is not None else self._read_frames

    def cut(self, fade_ms: float) -> int:
        card = self._card
        return card.cut(fade_ms) if card is not None else 0

    def begin_phrase(self) -> None:
        if (card := self._card) is not None:
            card.begin_phrase()

    def end_reply(self) -> None:
        if (card := self._card) is not None:
            card.end_reply()

    def time_of(self, frame: int) -> float:
        card = self._card
        if card is not None and frame >= self._offset:
            return card.time_of(frame - self._offset)
        return self._start_s + frame / RATE_HZ

    def _taken(self, card: Card, block: Samples | None) -> Samples | None:
        if block is not None:
            played = card.reference.copy(card.reference.written - len(block), len(block))
            self.reference.write(np.zeros_like(block) if played is None else played)
            self._read_frames += len(block)
        return block

    def _lose(self, card: Card, loss: DeviceError) -> None:
        """The card has gone. What it had not played yet was not heard."""
        log.warning("%s; waiting until it is back", loss)
        self._start_s = card.time_of(self._read_frames - self._offset) - self._read_frames / RATE_HZ
        self._lost = self.counts
        self._card = self._mute = None
        self._look_s = self._clock.now() + AGAIN_S
        card.stop()

    def _look(self) -> None:
        """Whether it is back. The time that opening it takes passes in blocks of silence, without waiting for them."""
        try:
            card = self._open_anew()
            card.start()
        except DeviceError:
            self._look_s = self._clock.now() + AGAIN_S
            return
        log.warning("the sound card is back")
        self._offset = self._read_frames + self.block_frames
        self._mute = None  # whoever wrote may have asked the old card once more
        self._card = card
        if self._stopped:  # meanwhile, when there was none to stop
            card.stop()


def open_lasting(audio: Audio, clock: Clock) -> LastingCard:
    """The card that a board names, as one that may be unplugged."""
    return LastingCard(open_card(audio, clock), partial(open_card, audio, clock, anew=True), clock)
