"""clipped: the microphone is far too loud: its tops are cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.emulation.faults import When
from epsilon.emulation.faults.ears import SpoiltEars
from epsilon.ring import Samples


@dataclass(frozen=True)
class Options(When):
    """How badly."""

    gain_db: float = setting("how much too loud", 40.0, low=0, high=120)


class Broken(SpoiltEars):
    """What passes full scale is lost."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options

    def spoil(self, block: Samples) -> Samples:
        loud = np.clip(block * 10 ** (self._options.gain_db / 20), -1.0, 1.0)
        return loud.astype(np.float32)
