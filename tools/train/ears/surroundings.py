"""What lies between a speaker and the microphone: noises and rooms, all synthetic, made from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.train.speech.voices import RATE_HZ, Samples

NOISE_S = 60
ROOMS, ROOM_SAMPLES = 96, 4000
Wave = NDArray[np.float32]


def coloured_noises(rng: np.random.Generator) -> list[Wave]:
    """White, pink and brown noise of unit power, a minute each."""
    count = RATE_HZ * NOISE_S
    white = np.fft.rfft(rng.standard_normal(count))
    bins = np.maximum(1, np.arange(len(white)))
    shapes = (np.ones(len(bins)), bins**-0.5, (bins > 50 * NOISE_S) / bins)
    return [_unit(np.fft.irfft(white * shape)) for shape in shapes]


def babble(pool: list[Samples], rng: np.random.Generator, voices: int) -> Wave:
    """A minute of so many utterances, many of them on top of one another."""
    mixed = np.zeros(RATE_HZ * NOISE_S, np.float32)
    for _ in range(voices):
        voice = pool[rng.integers(len(pool))].astype(np.float32)
        start = rng.integers(0, len(mixed) - len(voice))
        mixed[start : start + len(voice)] += voice / (voice.std() + 1)
    return _unit(mixed)


def hum(rng: np.random.Generator) -> Wave:
    """Mains and motors: harmonics of a few steady tones, a new mixture every five seconds."""
    pieces = []
    for _ in range(NOISE_S // 5):
        seconds = np.arange(5 * RATE_HZ) / RATE_HZ
        base_hz = rng.choice([50.0, 60.0, rng.uniform(70, 300)])
        parts = rng.integers(3, 20)
        sizes = rng.exponential(1, parts) / np.arange(1, parts + 1)
        phases = rng.uniform(0, 2 * np.pi, parts)
        piece = sum(
            size * np.sin(2 * np.pi * base_hz * k * seconds + phase)
            for k, (size, phase) in enumerate(zip(sizes, phases, strict=True), 1)
        )
        pieces.append(_unit(np.asarray(piece) + 0.1 * rng.standard_normal(len(seconds))))
    return np.concatenate(pieces)


def music(rng: np.random.Generator) -> Wave:
    """Notes of a scale that ring out over one another, two to six a second."""
    mixed = np.zeros(RATE_HZ * NOISE_S, np.float32)
    place = 0
    while place < len(mixed) - RATE_HZ:
        seconds = np.arange(int(rng.uniform(0.3, 1.0) * RATE_HZ)) / RATE_HZ
        for _ in range(rng.integers(1, 4)):
            base_hz = 110 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11]) / 12 + rng.integers(0, 4))
            note = sum(np.sin(2 * np.pi * base_hz * k * seconds) / k**1.5 for k in range(1, 6))
            decay = np.exp(-seconds * rng.uniform(2, 8))
            mixed[place : place + len(seconds)] += np.asarray(note * decay, np.float32)
        place += int(rng.uniform(0.15, 0.5) * RATE_HZ)
    return _unit(mixed)


def knocks(rng: np.random.Generator) -> Wave:
    """Steps, clatter and handling: short bursts of coloured noise, three a second."""
    mixed = 0.02 * rng.standard_normal(RATE_HZ * NOISE_S).astype(np.float32)
    for start in rng.integers(0, len(mixed) - 8000, 3 * NOISE_S):
        count = int(rng.uniform(200, 6000))
        burst = rng.standard_normal(count) * np.exp(-np.arange(count) / (count / 5))
        dull = np.convolve(burst, np.ones(width := int(rng.integers(1, 12))) / width, "same")
        mixed[start : start + count] += dull * rng.uniform(0.2, 2.0)
    return _unit(mixed)


def room(rng: np.random.Generator) -> Wave:
    """An impulse response: the direct sound, a gap, and decaying noise (RT60 0.08 … 0.5 s)."""
    seconds = np.arange(ROOM_SAMPLES) / RATE_HZ
    decay = np.exp(-6.9 * seconds / rng.uniform(0.08, 0.5)) * rng.uniform(0.02, 0.12)
    response = rng.standard_normal(ROOM_SAMPLES) * decay
    response[: int(rng.uniform(10, 60))] = 0
    response[0] = 1
    return response.astype(np.float32)


def _unit(noise: NDArray[np.floating]) -> Wave:
    return np.asarray(noise / noise.std(), np.float32)
