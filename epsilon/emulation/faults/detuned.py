"""detuned: the microphone runs at another rate than it says."""

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

    fast_percent: float = setting("how much too fast", 0.5, low=-5, high=5)


class Broken(Fault):
    """The microphone's blocks are not what was said."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options

    def card(self, card: Card, clock: Clock) -> Card:
        return cast(Card, SpoiltCard(card, clock, self._spoil))

    def _spoil(self, block: Samples, now_s: float) -> Samples:
        if not self.is_on(now_s):
            return block
        at = np.arange(len(block)) * (1 + self._options.fast_percent / 100)
        return np.interp(at, np.arange(len(block)), block).astype(np.float32)
