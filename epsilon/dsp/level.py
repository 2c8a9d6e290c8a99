"""How loud a sound is to a listener: ITU-R BS.1770-4 for one channel (K-weighting, blocks of 400 ms, both gates)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from epsilon.dsp.limit import soft
from epsilon.ring import Samples

BLOCK_S, HOP_S = 0.4, 0.1
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and LU below the mean of the blocks above that
SPEECH_LUFS = -18.0  # what all voices, openers and lines of a toy leave at
OFFSET_DB = -0.691  # so that a full-scale sine at 1 kHz is -3.01 LUFS

Curve = npt.NDArray[np.complex128]


def loudness(samples: Samples, rate_hz: int) -> float:
    """The integrated loudness of samples [n] in LUFS; -inf of silence. A sound under 400 ms is one block."""
    heard = _weighted(samples, rate_hz)
    block, hop = min(len(heard), round(BLOCK_S * rate_hz)), round(HOP_S * rate_hz)
    starts = range(0, len(heard) - block + 1, hop) if block else range(0)
    powers = np.array([np.mean(heard[start : start + block] ** 2) for start in starts])
    for gate in (ABSOLUTE_GATE, None):
        least = gate if gate is not None else _lufs(powers) + RELATIVE_GATE
        powers = powers[[_lufs(power) > least for power in powers]]
    return _lufs(powers)


def leveled(samples: Samples, rate_hz: int, to_lufs: float = SPEECH_LUFS) -> Samples:
    """Samples [n] made so loud by one gain, their peaks bent where they would clip; silence stays what it is."""
    now = loudness(samples, rate_hz)
    return soft(samples * np.float32(10 ** ((to_lufs - now) / 20))) if math.isfinite(now) else samples


def _lufs(powers: npt.NDArray[np.float64]) -> float:
    mean = float(np.mean(powers)) if np.size(powers) else 0.0
    return OFFSET_DB + 10 * math.log10(mean) if mean else -math.inf


def _weighted(samples: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    """Samples [n] as the ear weighs them; the filters die away within the silence that is added."""
    count = len(samples) + rate_hz // 4
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(count))
    spectrum = (
        np.fft.rfft(samples.astype(np.float64), count) * _head(turns, rate_hz) * _low_cut(turns, rate_hz)
    )
    return np.fft.irfft(spectrum, count)[: len(samples)]


def _head(turns: Curve, rate_hz: int) -> Curve:
    """The shelf of +4 dB that a head makes, at any rate (De Man 2018, whose numbers give BS.1770's at 48 kHz)."""
    k, q, high = (
        math.tan(math.pi * 1681.974450955533 / rate_hz),
        0.7071752369554196,
        10 ** (3.999843853973347 / 20),
    )
    middle = high**0.4996667741545416
    above = (
        (high + middle * k / q + k * k)
        + 2 * (k * k - high) * turns
        + (high - middle * k / q + k * k) * turns**2
    )
    return above / _poles(turns, k, q)


def _low_cut(turns: Curve, rate_hz: int) -> Curve:
    k, q = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    return (1 - turns) ** 2 * (1 + k / q + k * k) / _poles(turns, k, q)


def _poles(turns: Curve, k: float, q: float) -> Curve:
    return (1 + k / q + k * k) + 2 * (k * k - 1) * turns + (1 - k / q + k * k) * turns**2
