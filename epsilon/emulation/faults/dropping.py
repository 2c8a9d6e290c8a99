"""dropping: every so often the microphone loses a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from epsilon.clock import Clock
from epsilon.config.fields import setting
from epsilon.devices import Card
from epsilon.emulation.faults import Fault, When
from epsilon.emulation.faults.ears import SpoiltCard
from epsilon.ring import Samples


@dataclass(frozen=True)
class Options(When):
    """How badly."""

    every: int = setting("of so many blocks one is lost", 10, low=2, high=10_000)


class Broken(Fault):
    """The microphone's blocks are not what was said."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options
        self._blocks = 0

    def card(self, card: Card, clock: Clock) -> Card:
        return cast(Card, SpoiltCard(card, clock, self._spoil))

    def _spoil(self, block: Samples, now_s: float) -> Samples:
        if not self.is_on(now_s):
            return block
        self._blocks += 1
        return block if self._blocks % self._options.every else np.zeros_like(block)
