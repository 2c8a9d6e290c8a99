"""dropping: every so often the microphone loses a block."""

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

    every: int = setting("of so many blocks one is lost", 10, low=2, high=10_000)


class Broken(SpoiltEars):
    """A lost block is silence."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._options = options
        self._blocks = 0

    def spoil(self, block: Samples) -> Samples:
        self._blocks += 1
        return block if self._blocks % self._options.every else np.zeros_like(block)
