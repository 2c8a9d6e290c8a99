"""Radio: the narrow, slightly overdriven sound of a small receiver or a telephone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.ring import Samples

MOST_DRIVE = 8.0
USUAL = np.float32(0.2)  # what is as loud as this stays so, however much it is overdriven
TAPS_S = 0.012  # of the filter, which delays by half of it: its edges are 1 / TAPS_S wide or so


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    low_hz: float = setting("what is lower is taken away", 300.0, low=50, high=1000)
    high_hz: float = setting("what is higher is taken away", 3400.0, low=1500, high=7000)
    drive: float = setting("how much it is overdriven: 0 is clean", 0.3, low=0, high=1)
    noise: float = setting("how loud it hisses while somebody speaks", 0.0, low=0, high=0.1)
    seed: int = setting("the same seed gives the same noise", 0, low=0, high=999_999)


class Radio:
    """Overdrives the voice with a hyperbolic tangent, adds its noise, and lets a band of both pass."""

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._options = options
        self._band = _band(options.low_hz / sample_rate_hz, options.high_hz / sample_rate_hz, sample_rate_hz)
        self.delay_frames, self.tail_frames = len(self._band) // 2, len(self._band) - 1
        self.reset()

    def reset(self) -> None:
        """Forget the past and begin the noise again."""
        self._past = np.zeros(len(self._band) - 1, np.float32)
        self._noise = np.random.default_rng(self._options.seed)

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        if len(block) == 0:
            return block
        driven = self._drive(block)
        if self._options.noise:
            hiss = self._noise.standard_normal(len(block), np.float32)
            driven = driven + np.float32(self._options.noise) * hiss * np.sqrt(np.abs(block))
        heard = np.concatenate([self._past, driven])
        self._past = heard[len(block) :]
        return np.clip(np.convolve(heard, self._band, "valid"), -1, 1)

    def _drive(self, block: Samples) -> Samples:
        if not self._options.drive:
            return block
        gain = np.float32(MOST_DRIVE * self._options.drive)
        driven: Samples = np.tanh(gain * block) * (USUAL / np.tanh(gain * USUAL))
        return driven


def _band(low: float, high: float, sample_rate_hz: int) -> Samples:
    """The taps of a linear-phase band-pass (windowed sinc), its edges in parts of the rate."""
    half = round(TAPS_S * sample_rate_hz / 2)
    at = np.arange(-half, half + 1)
    taps = 2 * high * np.sinc(2 * high * at) - 2 * low * np.sinc(2 * low * at)
    return (taps * np.hanning(len(taps) + 2)[1:-1]).astype(np.float32)


def load(options: Options, sample_rate_hz: int) -> Radio:
    """The effect with a character's options."""
    return Radio(options, sample_rate_hz)
