"""Mel-cepstra, the path that brings two readings of a sentence into step, and how far their spectra are apart.

The mel-cepstral distortion of Kubichek 1993: 10 / ln 10 * sqrt(2 * sum of (c[m] - c'[m])²) in dB, which is the RMS
distance of two log spectra over the mel scale without their loudness. Here c[1] … c[13] are cosine coefficients of 40
mel bands (25 ms every 10 ms), the path is the one of dynamic time warping (Sakoe and Chiba 1978) over the same
coefficients, and frames in which the teacher is 40 dB below its loudest do not count. The path makes it smaller than a
comparison at fixed times would be; numbers of other programs are comparable only roughly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from epsilon.dsp.mel import WINDOW_FRAMES, log_power
from epsilon.ring import Samples
from tools.evaluate.voice import HOP_SAMPLES

BANDS, ORDER = 40, 13
RANGE = 6.0  # decades of power below the loudest band: under that everything is silence
QUIET_DB = 40.0
DB = 10 / np.log(10) * np.sqrt(2)

Floats = npt.NDArray[np.float64]
Path = npt.NDArray[np.intp]  # [pairs, 2]: a frame of the one and a frame of the other


def mel_cepstra(samples: Samples, order: int = ORDER) -> Floats:
    """c[0] … c[order] of every 10 ms of samples [n] at 16 kHz, [n // 160 + 1, order + 1].

    Frame i is centred on sample 160 i. log |H| at a mel band is c[0] + sum of c[m] cos(pi m (band + 0.5) / BANDS).
    """
    count = len(samples) // HOP_SAMPLES + 1
    padded = np.pad(samples.astype(np.float32), (WINDOW_FRAMES // 2, WINDOW_FRAMES))
    powers = log_power(padded, BANDS)[:count].astype(np.float64)
    magnitudes = np.maximum(powers, powers.max() - RANGE) * (np.log(10) / 2)
    bands = (np.arange(BANDS) + 0.5) * np.pi / BANDS
    cosines = np.cos(np.outer(np.arange(order + 1), bands)) * (2 / BANDS)
    cosines[0] /= 2
    return np.asarray(magnitudes @ cosines.T)


def levels_db(samples: Samples) -> Floats:
    """RMS in dB below full scale of 25 ms around every 10 ms, [n // 160 + 1]."""
    padded = np.pad(samples.astype(np.float64) ** 2, (WINDOW_FRAMES // 2, WINDOW_FRAMES))
    sums = np.cumsum(np.pad(padded, (1, 0)))
    starts = np.arange(len(samples) // HOP_SAMPLES + 1) * HOP_SAMPLES
    return np.asarray(10 * np.log10((sums[starts + WINDOW_FRAMES] - sums[starts]) / WINDOW_FRAMES + 1e-10))


def in_step(one: Floats, other: Floats) -> Path:
    """The path through two cepstra [n, order + 1], [m, order + 1] that adds up to the least distance."""
    costs = _distances(one, other)
    total = _totals(costs)
    at, path = (len(one) - 1, len(other) - 1), []
    while at != (0, 0):
        path.append(at)
        row, column = at
        steps = ((row - 1, column - 1), (row - 1, column), (row, column - 1))
        at = min(steps, key=lambda step: total[step[0] + 1, step[1] + 1])
    return np.array([(0, 0), *reversed(path)], dtype=np.intp)


def distortion_db(one: Floats, other: Floats, path: Path) -> Floats:
    """The mel-cepstral distortion of each pair of the path, without c[0]."""
    differences = one[path[:, 0], 1:] - other[path[:, 1], 1:]
    return np.asarray(DB * np.sqrt((differences**2).sum(axis=1)))


def _distances(one: Floats, other: Floats) -> Floats:
    """Euclidean, [n, m], without c[0]."""
    first, second = one[:, 1:], other[:, 1:]
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None, :] - 2 * first @ second.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _totals(costs: Floats) -> Floats:
    """The least sum on the way to each pair, [n + 1, m + 1] with a border, a diagonal at a time."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        best = np.minimum(total[i, j], np.minimum(total[i, j + 1], total[i + 1, j]))
        total[i + 1, j + 1] = costs[i, j] + best
    return total
