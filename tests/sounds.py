"""Sounds to test with, made here: no file and no person needed."""

from __future__ import annotations

import functools

import numpy as np

from epsilon.ring import Samples

RATE_HZ = 16_000
FORMANTS_HZ = (650, 1200, 2500)


@functools.cache
def vowels(seconds: float = 1.5, seed: int = 0) -> Samples:
    """A buzz through three slowly moving formants: no word, yet the voice of a person to a detector."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    start = np.random.default_rng(seed).uniform(0, 2 * np.pi, 3) if seed else np.zeros(3)
    pitch_hz = 120 + 15 * np.sin(2 * np.pi * 3 * time + start[0])
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants_hz = [hz * (1 + 0.2 * np.sin(2 * np.pi * 2 * time + start[1])) for hz in FORMANTS_HZ]
    voice = np.zeros_like(time)
    for harmonic in range(1, 30):
        gain = sum(1 / (1 + ((harmonic * pitch_hz - hz) / 90) ** 2) for hz in formants_hz)
        voice += gain * np.sin(harmonic * phase) / np.sqrt(harmonic)
    syllables = np.clip(np.sin(2 * np.pi * 4 * time + start[2]) + 0.6, 0, 1)
    sound: Samples = (0.2 * voice * syllables / np.abs(voice).max()).astype(np.float32)
    sound.setflags(write=False)
    return sound


def noise(seconds: float, rms: float, seed: int = 0) -> Samples:
    """White noise."""
    return np.random.default_rng(seed).normal(0, rms, int(seconds * RATE_HZ)).astype(np.float32)


def silence(seconds: float) -> Samples:
    """Nothing."""
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def buzz(hz: float | Samples, seconds: float = 1.0, harmonics: int = 8) -> Samples:
    """A buzz with one frequency, or one for each sample."""
    count = int(seconds * RATE_HZ)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, count), dtype=np.float64) / RATE_HZ
    parts = [np.sin(n * phase) / n for n in range(1, harmonics + 1)]
    return (0.1 * np.sum(parts, axis=0)).astype(np.float32)


def glide(first_hz: float, last_hz: float, seconds: float = 1.0) -> Samples:
    """A buzz from one pitch to another, as far in every semitone."""
    return buzz(np.geomspace(first_hz, last_hz, int(seconds * RATE_HZ), dtype=np.float32), seconds)
