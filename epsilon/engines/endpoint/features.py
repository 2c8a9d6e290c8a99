"""What the end-of-turn model hears: log-mel, level, voicing and pitch of each window, all causal and cheap.

A window of 512 samples (32 ms) gives one row: two frames of 24 bands, their voicing and pitch, and how the silence
stands. Levels are relative to the loudest so far and pitch to this speaker's mean so far, so that neither the
microphone nor the size of the speaker matters.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from epsilon.dsp.mel import slaney_hz
from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.ring import Samples

WINDOW = 512  # samples of a row
FRAME, HOP = 512, 256  # a frame of bands looks back over two hops
PITCH_FRAME = 1024  # 64 ms hold four periods of a deep voice
_LOOK_BACK = PITCH_FRAME - HOP
BANDS = 24
_LOW_HZ, _HIGH_HZ = 60.0, 7_600.0
_LOW_PITCH_HZ, _HIGH_PITCH_HZ = 65.0, 500.0
_LAGS = slice(round(SAMPLE_RATE_HZ / _HIGH_PITCH_HZ), round(SAMPLE_RATE_HZ / _LOW_PITCH_HZ) + 1)
_PITCH_SIZE = 1280  # holds a frame and the longest lag behind it
_OCTAVE_COST = 0.1  # of likeness, for a lag twice as long: a period that is heard twice is as like itself
_FLOOR = 1e-9  # of power
_FORGET_DB = 0.01  # a window; the loudest so far fades by 0.3 dB a second
_VOICED = 0.45  # autocorrelation of a frame that counts for the mean pitch
_MOST_SILENT = 62  # windows, 2 s
_PER_FRAME = BANDS + 3
SIZE = 2 * _PER_FRAME + 3

Row = npt.NDArray[np.float32]


@functools.cache
def _bank() -> Row:
    """[257, 24] triangles of unit area, evenly spaced in Slaney's mel."""
    mels = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 2)
    corners_hz = slaney_hz(mels)
    bins_hz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE_HZ)
    widths = np.diff(corners_hz)
    ramps = bins_hz[:, None] - corners_hz[None]
    triangles = np.maximum(0.0, np.minimum(ramps[:, :-2] / widths[:-1], -ramps[:, 2:] / widths[1:]))
    bank: Row = (triangles / np.maximum(1e-9, triangles.sum(axis=0))).astype(np.float32)
    return bank


def _mel(hz: float) -> float:
    """Slaney's mel of a frequency."""
    return hz * 3.0 / 200.0 if hz < 1000.0 else 15.0 + 27.0 * float(np.log(hz / 1000.0) / np.log(6.4))


_HANN = np.hanning(FRAME + 1)[:-1].astype(np.float32)
# An autocorrelation over a finite frame falls with the lag; dividing by this sets it right.
_SHARE = (1.0 - np.arange(PITCH_FRAME) / PITCH_FRAME).astype(np.float32)[_LAGS]
_COSTS = (_OCTAVE_COST * np.log2(np.arange(_LAGS.start, _LAGS.stop) / _LAGS.start)).astype(np.float32)


class Features:
    """The rows of one turn as it grows."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the turn."""
        self._past = np.zeros(_LOOK_BACK, np.float32)
        self._loudest = -60.0  # dB
        self._pitch_sum = self._pitch_count = 0.0
        self.silent_windows = 0
        self.windows = 0

    def push(self, samples: Samples, voiced: bool) -> Row:
        """The row [SIZE] of the next window, samples [512] at 16 kHz."""
        return self.rows(samples, [voiced])[0]

    def rows(self, samples: Samples, voiced: Sequence[bool]) -> Row:
        """The rows [n, SIZE] of the next windows at once, samples [n * 512]."""
        sound = np.concatenate([self._past, samples])
        self._past = sound[-_LOOK_BACK:]
        bands_db, level_db = _bands(sliding_window_view(sound[_LOOK_BACK - HOP :], FRAME)[::HOP])
        voicing, heights = _pitch(sliding_window_view(sound, PITCH_FRAME)[::HOP])
        count = len(voiced)
        bands_db, level_db = bands_db.reshape(count, 2, BANDS), level_db.reshape(count, 2, 1)
        voicing, heights = voicing.reshape(count, 2, 1), heights.reshape(count, 2, 1)
        found = zip(bands_db, level_db, voicing, heights, voiced, strict=True)
        return np.stack([self._row(*of_window) for of_window in found])

    def _row(self, bands_db: Row, level_db: Row, voicing: Row, heights: Row, voiced: bool) -> Row:
        """What was measured of the two frames of a window, as seen from what was heard so far."""
        self.silent_windows = 0 if voiced else self.silent_windows + 1
        self.windows += 1
        self._loudest = max(self._loudest - _FORGET_DB, float(level_db.max()))
        row = np.empty(SIZE, np.float32)
        both = row[: 2 * _PER_FRAME].reshape(2, _PER_FRAME)
        both[:, :BANDS] = np.clip((bands_db - self._loudest) / 20.0 + 1.5, -1.5, 2.0)
        both[:, BANDS:-2] = np.clip((level_db - self._loudest) / 20.0 + 1.0, -2.0, 1.0)
        both[:, -2:-1], both[:, -1:] = voicing, self._octaves(voicing, heights)
        silent = min(self.silent_windows, _MOST_SILENT) / _MOST_SILENT
        row[-3:] = float(voiced), math.sqrt(silent), math.log1p(self.windows) / 5.0
        return row

    def _octaves(self, voicing: Row, heights: Row) -> Row:
        """[2, 1]: how many octaves above this speaker's mean."""
        sure = voicing > _VOICED
        self._pitch_sum += float(heights[sure].sum())
        self._pitch_count += float(sure.sum())
        if self._pitch_count == 0:
            return np.zeros_like(heights)
        octaves = np.clip(heights - self._pitch_sum / self._pitch_count, -1.0, 1.0)
        return np.where(sure, octaves, np.float32(0))


def _bands(frames: Samples) -> tuple[Row, Row]:
    """Levels in dB of frames [n, 512]: [n, 24] of the bands, [n] of the whole frames."""
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / FRAME
    bands_db: Row = np.float32(10) * np.log10(np.maximum(power @ _bank(), np.float32(_FLOOR)))
    level_db: Row = np.float32(10) * np.log10(np.maximum(power.mean(axis=1), np.float32(_FLOOR)))
    return bands_db, level_db


def _pitch(frames: Samples) -> tuple[Row, Row]:
    """Of frames [n, 1024]: [n] how periodic they are, [n] the pitch in octaves above 1 Hz."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(frames, _PITCH_SIZE, axis=1)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, _PITCH_SIZE, axis=1)
    energy = np.maximum(correlation[:, :1], 1e-7)
    likeness = correlation[:, _LAGS] / (energy * _SHARE)
    best = (likeness - _COSTS).argmax(axis=1)
    voicing = np.clip(likeness[np.arange(len(frames)), best], 0.0, 1.0)
    heights = np.log2(SAMPLE_RATE_HZ / (best + _LAGS.start))
    return voicing.astype(np.float32), heights.astype(np.float32)
