"""What is heard in a home and is no speech for the toy: made by arithmetic, each from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples

RATE_HZ = 16_000
Wave = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator, Wave], Wave]


def _bursts(time: Wave, starts_s: list[float], decay_s: float) -> Wave:
    """An envelope of bursts that rise within 10 ms and die away."""
    envelope = np.zeros_like(time)
    for start_s in starts_s:
        since = time - start_s
        envelope += np.where(since > 0, (1 - np.exp(-since / 0.01)) * np.exp(-since / decay_s), 0.0)
    return envelope


def _band(noise: Wave, low_hz: float, high_hz: float) -> Wave:
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(len(noise), 1 / RATE_HZ)
    return np.fft.irfft(np.where((hz > low_hz) & (hz < high_hz), spectrum, 0), len(noise))


def _cough(random: np.random.Generator, time: Wave) -> Wave:
    """Two thrusts of air through an open throat."""
    air = _band(random.standard_normal(len(time)), 300, 5000)
    return air * _bursts(time, [0.0, 0.28 + random.uniform(0, 0.08)], 0.07)


def _laugh(random: np.random.Generator, time: Wave) -> Wave:
    """Ha ha ha: five bursts a second, half breath, falling in pitch."""
    pitch_hz = random.uniform(180, 300) * np.exp(-0.25 * time)
    phase = np.cumsum(pitch_hz) / RATE_HZ
    voice = sum((np.sin(2 * np.pi * k * phase) / k for k in range(1, 9)), np.zeros_like(time))
    breath = _band(random.standard_normal(len(time)), 500, 4000)
    starts_s = [float(start_s) for start_s in np.arange(0, time[-1], 0.2)]
    return (voice + 1.5 * breath) * _bursts(time, starts_s, 0.05)


def _clap(random: np.random.Generator, time: Wave) -> Wave:
    return random.standard_normal(len(time)) * _bursts(time, [0.0], 0.02)


def _doorbell(random: np.random.Generator, time: Wave) -> Wave:
    """Two notes, the second lower."""
    high, low = _bursts(time, [0.0], 0.35), _bursts(time, [0.55], 0.5)
    return high * np.sin(2 * np.pi * 660 * time) + low * np.sin(2 * np.pi * 528 * time)


def _breath(random: np.random.Generator, time: Wave) -> Wave:
    swell = np.sin(np.pi * time / (time[-1] + 1 / RATE_HZ)) ** 2
    return _band(random.standard_normal(len(time)), 200, 3000) * swell


def _fan(random: np.random.Generator, time: Wave) -> Wave:
    return _band(random.standard_normal(len(time)), 40, 800) * (1 + 0.1 * np.sin(2 * np.pi * 12 * time))


def _music(random: np.random.Generator, time: Wave) -> Wave:
    """Plucked chords, two a second."""
    sound, note = np.zeros_like(time), np.arange(RATE_HZ // 2) / RATE_HZ
    for at in range(0, max(1, len(time) - len(note)), len(note)):
        root_hz = 110 * 2 ** (random.integers(0, 24) / 12)
        for interval in (1, 5 / 4, 3 / 2):
            tone = sum((np.sin(2 * np.pi * root_hz * interval * k * note) / k for k in range(1, 6)), 0 * note)
            room = min(len(note), len(time) - at)
            sound[at : at + room] += (tone * np.exp(-3 * note))[:room]
    return sound


MAKERS: dict[str, Maker] = {
    "cough": _cough,
    "laugh": _laugh,
    "clap": _clap,
    "doorbell": _doorbell,
    "breath": _breath,
    "fan": _fan,
    "music": _music,
}


def make(kind: str, seconds: float, peak_db: float, seed: int = 0) -> Samples:
    """Samples [n] at 16 kHz of one of MAKERS, its loudest at `peak_db` of full scale."""
    sound = MAKERS[kind](np.random.default_rng(seed), np.arange(int(seconds * RATE_HZ)) / RATE_HZ)
    return at_peak(sound.astype(np.float32), peak_db)


def at_peak(sound: Samples, peak_db: float) -> Samples:
    """Samples [n] with the loudest at `peak_db` of full scale."""
    scaled: Samples = (sound * (10 ** (peak_db / 20) / max(1e-9, float(np.abs(sound).max())))).astype(
        np.float32
    )
    return scaled
