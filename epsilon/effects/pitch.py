"""Pitch: a higher or lower voice, and apart from that a smaller or larger mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.dsp.envelope import Envelope, Table
from epsilon.dsp.hops import Spectra, Spectrum
from epsilon.dsp.splices import Splices
from epsilon.ring import Samples

HOP_S = 0.010
LARGEST_GAIN = np.float32(np.log(10 ** (24 / 20)))
SILENT = np.float32(1e-12)


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    pitch: float = setting("semitones that the voice goes up or down", 0.0, low=-8, high=8)
    formants: float = setting("semitones that its resonances do: up is a smaller mouth", 0.0, low=-6, high=6)


class Formants:
    """Stretches the envelope of every spectrum by `ratio`; the harmonics stay and every frame keeps its energy."""

    def __init__(self, ratio: float, sample_rate_hz: int) -> None:
        self._spectra = Spectra(round(HOP_S * sample_rate_hz))
        self.delay_frames, self.tail_frames = self._spectra.delay_frames, self._spectra.tail_frames
        self._envelope = Envelope(self._spectra.size, sample_rate_hz)
        bins = np.arange(self._spectra.size // 2 + 1.0)
        self._stretch: Table = self._envelope.at(bins / ratio) - self._envelope.at(bins)

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        return self._spectra.process(block, self._change)

    def _change(self, spectrum: Spectrum) -> Spectrum:
        magnitudes = np.abs(spectrum)
        levels = self._stretch @ self._envelope.of(magnitudes)
        gains = np.exp(np.clip(levels, -LARGEST_GAIN, LARGEST_GAIN))
        changed = magnitudes * gains
        energy_ratio = np.dot(magnitudes, magnitudes) / max(np.dot(changed, changed), SILENT)
        return spectrum * (gains * np.sqrt(energy_ratio))


class Pitch:
    """First the pitch, and the formants with it, then the formants alone to where they should be."""

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._options, self._rate_hz = options, sample_rate_hz
        self.reset()
        self.delay_frames = sum(step.delay_frames for step in self._steps)
        self.tail_frames = sum(step.tail_frames for step in self._steps)

    def reset(self) -> None:
        """Forget the voice."""
        self._steps: list[Splices | Formants] = []
        if self._options.pitch:
            self._steps.append(Splices(2 ** (self._options.pitch / 12), self._rate_hz))
        if self._options.formants != self._options.pitch:
            ratio = 2 ** ((self._options.formants - self._options.pitch) / 12)
            self._steps.append(Formants(ratio, self._rate_hz))

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        for step in self._steps:
            block = step.process(block)
        return np.clip(block, -1, 1)


def load(options: Options, sample_rate_hz: int) -> Pitch:
    """The effect with a character's options."""
    return Pitch(options, sample_rate_hz)
