"""Breath: a hoarse voice, or one that whispers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.dsp.envelope import Envelope
from epsilon.dsp.hops import Spectra, Spectrum
from epsilon.ring import Samples

HOP_S = 0.010
CHEST_HZ = 500.0  # what lies lower is made by the vocal cords: breath has little of it
SILENT = np.float32(1e-12)


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    mix: float = setting("how much of the voice is breath: 1 whispers", 0.3, low=0, high=1)
    seed: int = setting("the same seed gives the same noise", 0, low=0, high=999_999)


class Breath:
    """`mix` of the energy of every spectrum becomes noise with the resonances that the voice has there."""

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._options, self._rate_hz = options, sample_rate_hz
        self.reset()
        self.delay_frames, self.tail_frames = self._spectra.delay_frames, self._spectra.tail_frames
        size, hop = self._spectra.size, self._spectra.hop_frames
        # A voice lies in the middle of its frame, noise all over the transform: the window leaves less of it.
        self._noisy = np.float32(np.sqrt(options.mix * size / hop))
        self._clear = np.float32(np.sqrt(1 - options.mix))
        bins = np.arange(size // 2 + 1.0)
        hz = bins * sample_rate_hz / size
        self._envelope = Envelope(size, sample_rate_hz)
        self._draw = self._envelope.at(bins)
        self._airy = (hz**2 / (hz**2 + CHEST_HZ**2)).astype(np.float32)

    def reset(self) -> None:
        """Forget the voice and begin the noise again."""
        self._spectra = Spectra(round(HOP_S * self._rate_hz))
        self._noise = np.random.default_rng(self._options.seed)

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        return np.clip(self._spectra.process(block, self._change), -1, 1)

    def _change(self, spectrum: Spectrum) -> Spectrum:
        magnitudes = np.abs(spectrum)
        noise = self._noise.standard_normal(2 * len(spectrum), np.float32).view(np.complex64)
        breath = noise * (self._airy * np.exp(self._draw @ self._envelope.of(magnitudes)))
        energy_ratio = np.dot(magnitudes, magnitudes) / max(np.vdot(breath, breath).real, SILENT)
        return self._clear * spectrum + (self._noisy * np.sqrt(energy_ratio)) * breath


def load(options: Options, sample_rate_hz: int) -> Breath:
    """The effect with a character's options."""
    return Breath(options, sample_rate_hz)
