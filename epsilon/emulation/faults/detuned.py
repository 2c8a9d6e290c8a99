"""detuned: the microphone runs at another rate than it says."""

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

    fast_percent: float = setting("how much too fast", 0.5, low=-5, high=5)


class Broken(SpoiltEars):
    """It runs fast within each block, which begins where it should."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options

    def spoil(self, block: Samples) -> Samples:
        at = np.arange(len(block)) * (1 + self._options.fast_percent / 100)
        return np.interp(at, np.arange(len(block)), block).astype(np.float32)
