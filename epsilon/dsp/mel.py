"""Whisper's log-mel spectrogram, computed as the sound comes: no frame twice, the one-shot result.

The features of Radford et al. 2022 (400-frame Hann window every 160 frames at 16 kHz, Slaney bands, 80 or, in
the large checkpoints since v3, 128, log10, eight decades below the loudest). Whisper pads the speech with zeros
to its context first, so the last frames of the speech look into silence; those few are recomputed at each
`window`, all others are final when they are made.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
WINDOW_FRAMES = 400
HOP_FRAMES = 160
BANDS = 80  # of most checkpoints
FLOOR = -10.0  # log10 of the smallest power that counts
QUIET_FRAMES = 10  # 100 ms of feature frames
RANGE = 8.0  # decades kept below the loudest

Matrix = npt.NDArray[np.float32]


def slaney_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's mel scale to Hz: linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    linear = mel * (200.0 / 3.0)
    return np.where(mel < 15.0, linear, 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0)))


@functools.cache
def filters(bands: int = BANDS) -> Matrix:
    """The filter bank [201, bands]: triangles of equal area, 0 to 8 kHz."""
    top_mel = 15.0 + np.log(SAMPLE_RATE_HZ / 2 / 1000.0) * 27.0 / np.log(6.4)
    corners_hz = slaney_hz(np.linspace(0.0, top_mel, bands + 2))
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, WINDOW_FRAMES // 2 + 1)
    widths = np.diff(corners_hz)
    ramps = bins_hz[:, None] - corners_hz[None, :]
    triangles = np.maximum(0.0, np.minimum(ramps[:, :-2] / widths[:-1], -ramps[:, 2:] / widths[1:]))
    bank: Matrix = (triangles * (2.0 / (corners_hz[2:] - corners_hz[:-2]))).astype(np.float32)
    return bank


@functools.cache
def _hann() -> Matrix:
    window: Matrix = np.hanning(WINDOW_FRAMES + 1)[:-1].astype(np.float32)
    return window


def log_power(samples: Matrix, bands: int = BANDS) -> Matrix:
    """Log10 mel power [n, bands] of the windows that start every 160 frames in `samples` [at least 400]."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_FRAMES)[::HOP_FRAMES]
    spectrum = np.abs(np.fft.rfft(windows * _hann(), axis=1)).astype(np.float32)
    # einsum adds in one order whatever the number of rows; a BLAS product would not, and streamed must
    # equal whole
    power = np.einsum("nf,fb->nb", spectrum * spectrum, filters(bands))
    result: Matrix = np.log10(np.maximum(power, 10.0**FLOOR)).astype(np.float32)
    return result


class LogMel:
    """The log-mel of one utterance as it grows. `push` sound, `window` the features for an encoder."""

    def __init__(self, bands: int = BANDS) -> None:
        self._bands = bands
        self._start = np.zeros(0, np.float32)  # until the first window can be mirrored to the left
        self._rest = np.zeros(0, np.float32)  # sound that the next window needs
        self._rows = np.zeros((64, bands), np.float32)
        self._count = 0  # final rows
        self.samples = 0  # frames of sound pushed

    @property
    def frames(self) -> int:
        """Feature frames (10 ms) that the sound so far fills."""
        return -(-self.samples // HOP_FRAMES)

    def push(self, samples: Matrix) -> None:
        """Take further samples [n] at 16 kHz."""
        self.samples += len(samples)
        if self._count == 0 and len(self._rest) == 0:
            self._start = np.concatenate([self._start, samples])
            if len(self._start) <= WINDOW_FRAMES // 2:
                return
            self._rest, self._start = _mirrored(self._start), self._start[:0]
        else:
            self._rest = np.concatenate([self._rest, samples])
        if len(self._rest) >= WINDOW_FRAMES:
            rows = log_power(self._rest, self._bands)
            self._keep(rows)
            self._rest = self._rest[len(rows) * HOP_FRAMES :]

    def window(self, frames: int) -> Matrix:
        """Normalised features [1, bands, frames] of the sound so far, which must fit, padded with silence."""
        if frames < self.frames:
            raise ValueError(f"{self.frames} feature frames do not fit into {frames}")
        edge = self._edge()[: frames - self._count]
        rows = np.full((frames, self._bands), FLOOR, np.float32)
        rows[: self._count] = self._rows[: self._count]
        rows[self._count : self._count + len(edge)] = edge
        rows = np.maximum(rows, rows.max() - RANGE)
        result: Matrix = np.ascontiguousarray((rows.T[None] + 4.0) / 4.0, np.float32)
        return result

    def quietest(self, first: int, last: int) -> int:
        """The feature frame from `first` to before `last` amid the quietest 100 ms: where to cut if one must."""
        around = QUIET_FRAMES // 2
        first = min(first, self._count - 1)  # the last frames are not final yet
        loudness = self._rows[: self._count].mean(axis=1)
        padded = np.pad(loudness, (around, around), "edge")
        smooth = np.convolve(padded, np.full(QUIET_FRAMES, 1 / QUIET_FRAMES, np.float32), "valid")
        return first + int(np.argmin(smooth[first:last]))

    def _edge(self) -> Matrix:
        """The rows whose windows reach past the end of the sound, seen as if silence followed."""
        rest = self._rest
        if self._count == 0 and len(rest) == 0:
            if len(self._start) == 0:
                return np.zeros((0, self._bands), np.float32)
            rest = _mirrored(np.concatenate([self._start, np.zeros(WINDOW_FRAMES, np.float32)]))
        return log_power(np.concatenate([rest, np.zeros(WINDOW_FRAMES, np.float32)]), self._bands)

    def _keep(self, rows: Matrix) -> None:
        while self._count + len(rows) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count : self._count + len(rows)] = rows
        self._count += len(rows)


def _mirrored(samples: Matrix) -> Matrix:
    """The sound with its beginning reflected to the left, so that the first window is centred on frame 0."""
    result: Matrix = np.concatenate([samples[WINDOW_FRAMES // 2 : 0 : -1], samples])
    return result
