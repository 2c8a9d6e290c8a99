"""Sounds in which nobody says anything, so that they are not heard as words: noise, hum, music, knocks, sweeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tools.train.ears.features import RATE_HZ
from tools.train.speech.voices import Samples

Sound = NDArray[np.float64]
Maker = Callable[[np.random.Generator, Sound], Sound]
_LEVELS = (0.005, 0.3)  # loudest sample, full scale is 1
_HISS = 1e-4


def nothing(rng: np.random.Generator) -> Samples:
    """0.5 … 5 s of one kind, at any level."""
    time = np.arange(int(rng.uniform(0.5, 5.0) * RATE_HZ)) / RATE_HZ
    sound = _MAKERS[rng.integers(len(_MAKERS))](rng, time)
    sound = sound / max(1e-9, float(np.abs(sound).max())) * np.exp(rng.uniform(*np.log(_LEVELS)))
    return np.asarray((sound + _HISS * rng.standard_normal(len(time))) * 32767, np.int16)


def _coloured(rng: np.random.Generator, time: Sound) -> Sound:
    spectrum = np.fft.rfft(rng.standard_normal(len(time)))
    return np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** rng.uniform(0, 1.2), len(time))


def _tone(phase: Sound, parts: int, fall: float) -> Sound:
    """A harmonic tone; `phase` in turns."""
    return np.sum([np.sin(2 * np.pi * k * phase) / k**fall for k in range(1, parts + 1)], axis=0)


def _melody(rng: np.random.Generator, time: Sound) -> Sound:
    """A flute or a whistle: two to six notes a second with vibrato."""
    note = int(RATE_HZ / rng.uniform(2, 6))
    steps = rng.integers(-12, 13, len(time) // note + 1)
    hz = rng.uniform(200, 900) * 2 ** (np.repeat(steps, note)[: len(time)] / 12)
    hz *= 1 + rng.uniform(0, 0.02) * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    gaps = 1.0 if rng.random() < 0.5 else np.minimum(1, 4 * (1 - (np.arange(len(time)) % note) / note))
    return _tone(np.cumsum(hz) / RATE_HZ, int(rng.integers(1, 8)), rng.uniform(1, 2.5)) * gaps


def _chords(rng: np.random.Generator, time: Sound) -> Sound:
    """Plucked chords, one to four a second."""
    sound, note = np.zeros_like(time), np.arange(int(RATE_HZ / rng.uniform(1, 4))) / RATE_HZ
    for start in range(0, len(time), len(note)):
        root_hz = 80 * 2 ** (rng.integers(0, 40) / 12)
        for step in (0, rng.choice([3, 4]), 7)[: rng.integers(1, 4)]:
            tone = _tone(root_hz * 2 ** (step / 12) * note, 6, 1.0) * np.exp(-rng.uniform(1, 8) * note)
            sound[start : start + len(note)] += tone[: len(time) - start]
    return sound


def _hum(rng: np.random.Generator, time: Sound) -> Sound:
    base_hz = rng.choice([50.0, 60.0, rng.uniform(70, 300)])
    return _tone(base_hz * time, int(rng.integers(2, 20)), rng.uniform(0.3, 2))


def _buzz(rng: np.random.Generator, time: Sound) -> Sound:
    """Pulses at a moving pitch, as of a razor, a bee or an engine."""
    hz = rng.uniform(60, 300) * (1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * rng.uniform(0.2, 3) * time))
    width = rng.uniform(0.05, 0.5)
    return np.asarray(np.cumsum(hz) / RATE_HZ % 1 < width, np.float64) - width


def _knocks(rng: np.random.Generator, time: Sound) -> Sound:
    sound, ring = np.zeros_like(time), np.arange(3000) / RATE_HZ
    for start in rng.integers(0, len(time) - len(ring), 1 + int(rng.uniform(1, 5) * time[-1])):
        burst = _coloured(rng, ring) * np.exp(-ring * rng.uniform(15, 90))
        sound[start : start + len(ring)] += burst * rng.uniform(0.2, 1)
    return sound


def _sweep(rng: np.random.Generator, time: Sound) -> Sound:
    low_hz, high_hz = np.sort(rng.uniform(80, 3500, 2))
    place = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.1, 2) * time + rng.random()))
    return _tone(np.cumsum(low_hz + (high_hz - low_hz) * place) / RATE_HZ, int(rng.integers(1, 5)), 1.0)


def _sea(rng: np.random.Generator, time: Sound) -> Sound:
    """Noise that swells and falls, down to the rhythm of syllables."""
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.2, 5) * time + rng.random()))
    return _coloured(rng, time) * swell ** rng.uniform(0.5, 3)


_MAKERS: tuple[Maker, ...] = (
    _coloured, _coloured, _melody, _melody, _chords, _hum, _buzz, _knocks, _sweep, _sea,
)  # fmt: skip
