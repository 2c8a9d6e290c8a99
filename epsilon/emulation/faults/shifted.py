"""shifted: a direct voltage lies on the microphone."""

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

    level: float = setting("of full scale", 0.3, low=-1, high=1)


class Broken(SpoiltEars):
    """The voltage is added to every sample."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options

    def spoil(self, block: Samples) -> Samples:
        return np.clip(block + self._options.level, -1.0, 1.0).astype(np.float32)
