"""The envelope of a spectrum: the resonances of a mouth, without the harmonics of its voice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples

Table = npt.NDArray[np.float32]
Bins = npt.NDArray[np.float64]

ROUNDS = 3
NARROWEST_HZ = 330.0  # ripples closer than this are harmonics: it lies above the pitch of voices
FLOOR = np.float32(1e-6)  # of magnitude, so that silence has a level


class Envelope:
    """The true envelope (Röbel & Rodet 2005): a smoothed log spectrum, lifted until it lies on the harmonics.

    It is a few cosines over frequency (a liftered cepstrum), so that it can be asked for at any frequency.
    """

    def __init__(self, size: int, sample_rate_hz: int) -> None:
        self._size = size
        self._count = round(sample_rate_hz / NARROWEST_HZ)
        orders = np.arange(self._count, dtype=np.float64)
        weights = np.full(size // 2 + 1, 2.0 / size)  # both halves of the spectrum, its ends are there once
        weights[[0, -1]] /= 2
        fading = np.clip(2 * orders / self._count - 1, 0, 1)  # over the upper half
        lifter = (0.5 + 0.5 * np.cos(np.pi * fading)) * np.where(orders, 2, 1)
        bins = np.arange(size // 2 + 1.0)
        self._weigh = (lifter[:, None] * np.cos(_angles(orders, bins, size)) * weights).astype(np.float32)
        self._draw = self.at(bins)

    def at(self, bins: Bins) -> Table:
        """What `of` is multiplied by, to have the envelope at these bins [m], which may lie between whole ones."""
        top = np.minimum(bins, self._size / 2)
        return np.cos(_angles(np.arange(self._count, dtype=np.float64), top, self._size)).T.astype(np.float32)

    def of(self, magnitudes: Samples) -> Samples:
        """The envelope of magnitudes [size / 2 + 1] as weights of cosines: `at(bins) @ of(…)` is its logarithm."""
        levels = np.log(magnitudes + FLOOR)
        cosines = self._weigh @ levels
        for _ in range(ROUNDS - 1):
            cosines = self._weigh @ np.maximum(levels, self._draw @ cosines)
        return cosines


def _angles(orders: Bins, bins: Bins, size: int) -> Bins:
    return 2 * np.pi / size * np.outer(orders, bins)
