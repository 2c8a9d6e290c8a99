"""Capture: card to microphone ring, with the toy's own sound taken out; muted, it hears nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from epsilon.devices import Card
from epsilon.engines.protocols import SAMPLE_RATE_HZ, EchoCanceller
from epsilon.hardware import Switches
from epsilon.ring import SampleRing, Samples
from epsilon.stage import Place, Stage

REST_S = 0.08  # how much later at most the first sound of a turn is seen; its place in time is its samples'


class Capture(Stage):
    """Reads the card block by block; the card decides when a block is due.

    While all is calm it sleeps over a few blocks and takes them together: that is most of what an idle toy costs.
    """

    def __init__(
        self,
        place: Place,
        card: Card,
        microphone: SampleRing,
        canceller: EchoCanceller,
        switches: Switches | None = None,
    ) -> None:
        super().__init__(place)
        self.card, self.microphone, self.canceller = card, microphone, canceller
        self.switches = switches or Switches()
        self.ended = False
        self.calm: Callable[[], bool] = lambda: False  # nobody speaks, and nobody waits for an answer
        self._rest_blocks = max(1, round(REST_S * SAMPLE_RATE_HZ / card.block_frames))
        self._unread = 0  # blocks that came during the last rest
        self.gone = False  # there is no card at the moment
        self.on_card: Callable[[], None] = lambda: None  # it went, or came back

    def tick(self) -> bool:
        block = None if self.ended else self.card.read()
        if block is None:
            self.ended = True
            return False
        if self.card.gone is not self.gone:
            self._tell_card()
        heard = self.canceller.cancel(
            block, self._played(len(block))
        )  # also while muted: it goes on learning the room
        if self.switches.muted:
            heard = np.zeros_like(heard)  # time goes on, and nothing of the room is in it
        self._unread -= 1
        self.microphone.write(heard, wake=self._unread <= 0)
        if self._unread > 0 or not self.calm():
            return True
        self._unread = self._rest_blocks
        return False

    def due(self) -> float | None:
        rest_s = self._rest_blocks * self.card.block_frames / SAMPLE_RATE_HZ
        return None if self.ended else self.clock.now() + rest_s

    def _tell_card(self) -> None:
        self.gone = not self.gone
        self.tell("card gone" if self.gone else "card back", self.turn.now, at=self.card.left())
        self.on_card()

    def _played(self, count: int) -> Samples:
        """The newest `count` frames that left the card, silence where it has played fewer."""
        reference = self.card.reference
        if reference.written < count:
            return np.zeros(count, np.float32)
        played = reference.copy(reference.written - count, count)
        assert played is not None, "the reference ring is shorter than a block"
        return played
