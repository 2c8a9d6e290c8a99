"""Input that nobody recorded or wrote: random log-mel features, and the tokens the model itself makes of them.

Recovery without data needs input that drives the network as speech does. Three kinds are drawn: pulse trains
and noise through resonances that wander (the shape of speech without words in it), steady coloured noise, and
smooth random patterns in the features themselves. Text comes from the model: it reads its own samples, as in LLM-QAT
(Liu et al. 2023, arXiv:2305.17888).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epsilon.dsp.mel import FLOOR, RANGE, SAMPLE_RATE_HZ, WINDOW_FRAMES

Array = NDArray[np.float64]

_BINS_HZ = np.fft.rfftfreq(WINDOW_FRAMES, 1 / SAMPLE_RATE_HZ)
_LOBE_HZ = 45.0  # half the main lobe of the window, where a harmonic is heard
_SMOOTHEST_FRAMES = 30
_VOICED, _HISSED = 0.6, 0.85  # shares of the sounds: with a pitch, then noise, the rest is silence
_KINDS = (0.7, 0.85)  # shares of the batch: like speech, then noise, the rest are patterns
_PREROLL_FRAMES, _PADDING_FRAMES = 25, 50  # silence before speech at most, and after it at least


class Imagination:
    """Draws batches of features [B, bands, frames]; `filters` [201, bands] turns power into bands."""

    def __init__(self, filters: NDArray[np.float32], seed: int) -> None:
        self.filters = filters.astype(np.float64)
        self.rng = np.random.default_rng(seed)

    def __call__(self, count: int, frames: int) -> NDArray[np.float32]:
        """Normalised as Whisper's features are: log10, `RANGE` decades below the loudest, (x + 4) / 4."""
        return np.stack([self._one(frames) for _ in range(count)]).astype(np.float32)

    def _one(self, frames: int) -> Array:
        before = int(self.rng.integers(0, _PREROLL_FRAMES + 1))
        after = int(self.rng.integers(_PADDING_FRAMES, max(_PADDING_FRAMES + 1, frames // 2)))
        length = max(1, frames - before - after)
        rows = np.full((frames, self.filters.shape[1]), FLOOR)
        rows[before : before + length] = self._sound(length)
        rows = np.maximum(rows, rows.max() - RANGE)
        return (rows.T + 4) / 4

    def _sound(self, frames: int) -> Array:
        """Log10 power [frames, bands]."""
        kind = self.rng.random()
        if kind >= _KINDS[1]:
            return self._pattern(frames)
        power = self._noise(frames) if kind >= _KINDS[0] else self._speech(frames)
        bands = np.log10(np.maximum(power @ self.filters, 10.0**FLOOR))
        loudest = self.rng.uniform(-1.5, 1.5)
        return np.maximum(bands + (loudest - bands.max()), FLOOR)

    def _pattern(self, frames: int) -> Array:
        """Noise smoothed along time and bands."""
        bands = self.filters.shape[1]
        field = self._smooth(self.rng.standard_normal((frames, bands)), self.rng.uniform(1, 12))
        field = self._smooth(field.T, self.rng.uniform(1, 12)).T
        return self.rng.uniform(-4, -1) + self.rng.uniform(0.5, 2.0) * field / field.std()

    def _noise(self, frames: int) -> Array:
        """Steady noise with a random tilt: power [frames, 201]."""
        tilt = np.maximum(1, _BINS_HZ / 40) ** -self.rng.uniform(0, 2)
        return self.rng.exponential(size=(frames, len(_BINS_HZ))) * tilt

    def _speech(self, frames: int) -> Array:
        """Sounds of 40 to 250 ms one after another, each with its resonances, in a faint noise."""
        bounds = np.cumsum(self.rng.integers(4, 26, frames // 4 + 2))
        sound = np.minimum(np.searchsorted(bounds, np.arange(frames), "right"), len(bounds) - 1)
        draws = self.rng.random(len(bounds))
        colours = np.stack([self._resonances() for _ in bounds])
        decades = np.where(draws < _HISSED, self.rng.uniform(-2.5, 0, len(bounds)), -8.0)
        envelope = self._smooth((np.log10(colours) + decades[:, None])[sound], self.rng.uniform(1, 4))
        voiced = (draws < _VOICED)[sound][:, None]
        hiss = self.rng.exponential(size=(frames, len(_BINS_HZ)))
        source = np.where(voiced, self._pulses(frames) + 0.02 * hiss, 0.1 * hiss)
        background = self._noise(frames) * 10 ** self.rng.uniform(-8, -2)
        return source * 10**envelope + background

    def _pulses(self, frames: int) -> Array:
        """The spectrum of a pulse train whose pitch wanders: power [frames, 201]."""
        around_hz = np.exp(self.rng.uniform(np.log(80), np.log(350)))
        wander = self._smooth(self.rng.standard_normal((frames, 1)), 15)
        pitch_hz = around_hz * 2 ** (0.3 * wander / max(1e-3, float(wander.std())))
        away_hz = np.abs(_BINS_HZ / pitch_hz - np.round(_BINS_HZ / pitch_hz)) * pitch_hz
        return np.exp(-((away_hz / _LOBE_HZ) ** 2)) + 1e-4

    def _resonances(self) -> Array:
        """A smooth spectrum [201] with a tilt and a few peaks."""
        tilt = np.maximum(1, _BINS_HZ / 200) ** -self.rng.uniform(0.5, 3)
        peaks_hz = np.exp(self.rng.uniform(np.log(250), np.log(7000), self.rng.integers(2, 6)))
        widths_hz = self.rng.uniform(60, 300, len(peaks_hz)) + peaks_hz / 20
        peaks = 1 / (1 + ((_BINS_HZ[:, None] - peaks_hz) / widths_hz) ** 2)
        return tilt * (0.003 + (peaks * 10 ** self.rng.uniform(-1.5, 0.5, len(peaks_hz))).sum(1))

    def _smooth(self, rows: Array, frames: float) -> Array:
        """Each column of [T, n] smoothed along T over about so many frames."""
        reach = np.arange(-_SMOOTHEST_FRAMES, _SMOOTHEST_FRAMES + 1)
        window = np.exp(-0.5 * (reach / max(0.3, frames / 2)) ** 2)
        window /= window.sum()
        padded = np.pad(rows, ((_SMOOTHEST_FRAMES, _SMOOTHEST_FRAMES), (0, 0)), mode="edge")
        spectrum = np.fft.rfft(padded, axis=0) * np.fft.rfft(window, len(padded))[:, None]
        whole = np.fft.irfft(spectrum, len(padded), axis=0)
        return whole[2 * _SMOOTHEST_FRAMES : 2 * _SMOOTHEST_FRAMES + len(rows)]
