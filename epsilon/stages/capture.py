"""Capture: card to microphone ring, with the toy's own sound taken out; muted, it hears nothing."""

from __future__ import annotations

import numpy as np

from epsilon.devices import Card
from epsilon.engines.protocols import EchoCanceller
from epsilon.hardware import Switches
from epsilon.ring import SampleRing, Samples
from epsilon.stage import Place, Stage


class Capture(Stage):
    """Reads the card block by block; the card decides when a block is due."""

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

    def tick(self) -> bool:
        block = None if self.ended else self.card.read()
        if block is None:
            self.ended = True
            return False
        heard = self.canceller.cancel(
            block, self._played(len(block))
        )  # also while muted: it goes on learning the room
        if self.switches.muted:
            heard = np.zeros_like(heard)  # time goes on, and nothing of the room is in it
        self.microphone.write(heard)
        return True

    def due(self) -> float | None:
        return None if self.ended else self.clock.now()

    def _played(self, count: int) -> Samples:
        """The newest `count` frames that left the card, silence where it has played fewer."""
        reference = self.card.reference
        if reference.written < count:
            return np.zeros(count, np.float32)
        played = reference.copy(reference.written - count, count)
        assert played is not None, "the reference ring is shorter than a block"
        return played
