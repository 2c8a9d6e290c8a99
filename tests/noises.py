"""What is not speech and may be taken for it: noise, hum, tones, music-like sounds, knocks; all made here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples
from tests.sounds import RATE_HZ

Wave = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator, Wave], Wave]

SEMITONE = 2 ** (1 / 12)


def _white(random: np.random.Generator, time: Wave) -> Wave:
    return random.standard_normal(len(time))


def _coloured(exponent: float) -> Maker:
    """Noise whose amplitude falls with frequency to the power of `exponent`, from 20 Hz on."""

    def make(random: np.random.Generator, time: Wave) -> Wave:
        spectrum = np.fft.rfft(random.standard_normal(len(time)))
        hz = np.fft.rfftfreq(len(time), 1 / RATE_HZ)
        return np.fft.irfft(np.where(hz > 20, spectrum / np.maximum(hz, 20) ** exponent, 0), len(time))

    return make


def _hum(random: np.random.Generator, time: Wave) -> Wave:
    mains_hz = random.choice([50, 60])
    return sum((np.sin(2 * np.pi * mains_hz * k * time) / k for k in range(1, 9)), np.zeros_like(time))


def _sweep(random: np.random.Generator, time: Wave) -> Wave:
    return np.sin(2 * np.pi * (100 + random.uniform(20, 100) * time) * time)


def _sea(random: np.random.Generator, time: Wave) -> Wave:
    swell = np.sin(2 * np.pi * random.uniform(0.3, 4) * time)
    return random.standard_normal(len(time)) * (0.5 + 0.5 * swell)


def _knocks(random: np.random.Generator, time: Wave) -> Wave:
    sound, ring = np.zeros_like(time), np.arange(3000) / RATE_HZ
    for at in random.integers(0, len(time) - len(ring), int(1.5 * len(time) / RATE_HZ)):
        burst = random.standard_normal(len(ring)) * np.exp(-ring * random.uniform(20, 80))
        sound[at : at + len(ring)] += burst
    return sound


def _chords(random: np.random.Generator, time: Wave) -> Wave:
    """Plucked major chords, two a second."""
    sound, note = np.zeros_like(time), np.arange(RATE_HZ // 2) / RATE_HZ
    for at in range(0, len(time) - len(note), len(note)):
        root_hz = 110 * SEMITONE ** random.integers(0, 36)
        for interval in (1, SEMITONE**4, SEMITONE**7):
            tone = sum(np.sin(2 * np.pi * root_hz * interval * k * note) / k for k in range(1, 6))
            sound[at : at + len(note)] += tone * np.exp(-3 * note)
    return sound


def _flute(random: np.random.Generator, time: Wave) -> Wave:
    """A melody of four notes a second with vibrato."""
    notes = random.integers(-12, 13, len(time) // (RATE_HZ // 4) + 1)
    hz = 440 * SEMITONE ** np.repeat(notes, RATE_HZ // 4)[: len(time)]
    phase = np.cumsum(hz * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * time))) / RATE_HZ
    return sum((np.sin(2 * np.pi * k * phase) / k**2 for k in range(1, 6)), np.zeros_like(time))


def _buzz(random: np.random.Generator, time: Wave) -> Wave:
    """Pulses at a moving pitch, as of a razor or a bee."""
    hz = random.uniform(90, 240) * (1 + 0.3 * np.sin(2 * np.pi * random.uniform(0.3, 2) * time))
    return (np.cumsum(hz) / RATE_HZ % 1 < 0.1).astype(float) - 0.1


MAKERS: dict[str, Maker] = {
    "white": _white,
    "pink": _coloured(0.5),
    "brown": _coloured(1.0),
    "hum": _hum,
    "sweep": _sweep,
    "sea": _sea,
    "knocks": _knocks,
    "chords": _chords,
    "flute": _flute,
    "buzz": _buzz,
    "silence": lambda _, time: np.zeros_like(time),
}


def make(kind: str, seconds: float, peak: float, seed: int) -> Samples:
    """Samples [n] at 16 kHz of one kind, `peak` at the loudest, over the faint hiss of a microphone."""
    random = np.random.default_rng(seed)
    sound = MAKERS[kind](random, np.arange(int(seconds * RATE_HZ)) / RATE_HZ)
    sound *= peak / max(1e-9, float(np.abs(sound).max()))
    return (sound + random.normal(0, 1e-4, len(sound))).astype(np.float32)
