"""Spectrogram pictures: grey, time to the right, frequency upwards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HOP_SAMPLES, WINDOW_SAMPLES = 80, 400
RANGE_DB = 70.0

Pixels = npt.NDArray[np.uint8]


def spectrogram(samples: npt.NDArray[np.floating]) -> Pixels:
    """Rows of frequency (0 to 8 kHz, lowest last) by frames of 5 ms; black is the loudest, white 70 dB below."""
    padded = np.pad(np.asarray(samples, np.float64), (WINDOW_SAMPLES // 2, WINDOW_SAMPLES))
    starts = np.arange(0, len(samples), HOP_SAMPLES)
    frames = padded[starts[:, None] + np.arange(WINDOW_SAMPLES)] * np.hanning(WINDOW_SAMPLES)
    level_db = 20 * np.log10(np.abs(np.fft.rfft(frames, 512, axis=1)) + 1e-9)
    depth = (level_db.max() - level_db) / RANGE_DB
    return (np.clip(depth, 0, 1) * 255).astype(np.uint8).T[::-1]
