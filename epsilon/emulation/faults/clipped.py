"""clipped: the microphone is far too loud: its tops are cut off."""

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

    gain_db: float = setting("how much too loud", 40.0, low=0, high=120)


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
        loud = np.clip(block * 10 ** (self._options.gain_db / 20), -1.0, 1.0)
        return loud.astype(np.float32)
