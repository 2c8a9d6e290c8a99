"""What spoils the sound of the microphone: a card in front of the toy whose blocks are changed while a fault is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from epsilon.clock import Clock
from epsilon.devices import Card
from epsilon.emulation.faults import Fault
from epsilon.ring import Samples


class SpoiltCard:
    """See Card; all but `read` is the card's own."""

    def __init__(self, card: Card, clock: Clock, spoil: Callable[[Samples, float], Samples]) -> None:
        self._card, self._clock, self._spoil = card, clock, spoil

    def read(self) -> Samples | None:
        """The next block, spoilt."""
        block = self._card.read()
        return None if block is None else self._spoil(block, self._clock.now())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._card, name)


class SpoiltEars(Fault):
    """The microphone's blocks are not what was said."""

    def card(self, card: Card, clock: Clock) -> Card:
        return cast(Card, SpoiltCard(card, clock, self._spoil))

    def spoil(self, block: Samples) -> Samples:
        """What the toy is given instead of a block, while the fault is on."""
        raise NotImplementedError

    def _spoil(self, block: Samples, now_s: float) -> Samples:
        return self.spoil(block) if self.is_on(now_s) else block
