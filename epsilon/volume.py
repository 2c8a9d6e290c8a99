"""How loud the toy is: a few steps that hands choose, turned into a gain that never jumps."""

from __future__ import annotations

import numpy as np

from epsilon.ring import Samples

LOUDEST = 10  # the step that leaves samples as they are
STEP_DB = 3.0
RAMP_FRAMES = 320  # 20 ms at 16 kHz: a gain that changes at once clicks


def gain_of(step: int) -> float:
    """What samples are multiplied by: 1 at the loudest step, 3 dB less with each below it."""
    return float(10 ** (-STEP_DB * (LOUDEST - step) / 20))


class Gain:
    """The gain of a sound that is written piece by piece; a new step is reached along a short ramp."""

    def __init__(self) -> None:
        self._gain = 1.0

    def apply(self, samples: Samples, step: int) -> Samples:
        """Samples [n] as loud as the step says."""
        before, self._gain = self._gain, gain_of(step)
        if before == self._gain:
            return samples if before == 1.0 else samples * np.float32(before)
        ramp = np.full(len(samples), self._gain, np.float32)
        count = min(RAMP_FRAMES, len(samples))
        ramp[:count] = np.linspace(before, self._gain, count, dtype=np.float32)
        return samples * ramp
