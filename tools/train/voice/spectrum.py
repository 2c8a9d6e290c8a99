"""Mel-cepstra: the teacher's filter in closed form, and the two filters a student frame is taught.

A mel-cepstrum c at warping `alpha` stands for the minimum-phase filter H(w) = exp(sum_m c[m] e^(-j m v(w))),
where v is the phase of a first-order all-pass. flite computes it sample by sample (MLSA); here it is one
matrix product per frame. Formulas: Fukada et al., "An adaptive algorithm for mel-cepstral analysis of
speech", ICASSP 1992; Yoshimura et al., "Incorporating a mixed excitation model and postfilter into HMM-based
text-to-speech synthesis", 2005.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA = 0.42  # flite's warping at 16 kHz
ORDER = 40  # coefficients of a student filter: 24 would hold the envelope, the band strengths need the rest
FFT_SAMPLES = 512
_BINS = FFT_SAMPLES // 2 + 1
_QUIETEST = 0.01  # -40 dB: below this a band share is as good as none, and its logarithm would rule the fit


def warped_frequencies(alpha: float = ALPHA) -> Floats:
    """Phase of the all-pass at each FFT bin, radians, [257]."""
    w = np.arange(_BINS) * 2 * np.pi / FFT_SAMPLES
    return w + 2 * np.arctan2(alpha * np.sin(w), 1 - alpha * np.cos(w))


def basis(order: int = ORDER) -> tuple[Floats, Floats]:
    """Matrices [order, 257] that take a mel-cepstrum to log magnitude and to phase (radians)."""
    angle = np.outer(np.arange(order), warped_frequencies())
    return np.cos(angle), -np.sin(angle)


def _to_filter(cepstrum: Floats, alpha: float) -> Floats:
    """MLSA coefficients b of mel-cepstra c [frames, n]: b[m] = c[m] - alpha b[m+1]."""
    b = cepstrum.copy()
    for m in range(b.shape[1] - 2, -1, -1):
        b[:, m] = cepstrum[:, m] - alpha * b[:, m + 1]
    return b


def _to_cepstrum(b: Floats, alpha: float) -> Floats:
    c = b.copy()
    c[:, :-1] += alpha * b[:, 1:]
    return c


def _power(cepstrum: Floats) -> Floats:
    cosines = basis(cepstrum.shape[1])[0]
    return np.asarray(np.exp(2 * cepstrum @ cosines)[:, 1:-1].mean(axis=1))


def sharpen(cepstrum: Floats, alpha: float, beta: float) -> Floats:
    """The teacher's postfilter: formants `beta` sharper at unchanged power. [frames, 25] -> [frames, 26]."""
    padded = np.pad(cepstrum, ((0, 0), (0, 1)))
    b = _to_filter(padded, alpha)
    sharp = b.copy()
    sharp[:, 1] -= beta * alpha * padded[:, 2]
    sharp[:, 2:] *= 1 + beta
    before, after = _power(_to_cepstrum(b, alpha)), _power(_to_cepstrum(sharp, alpha))
    sharp[:, 0] += np.log(before / after) / 2
    return _to_cepstrum(sharp, alpha)


def band_response(filters: Floats) -> Floats:
    """Zero-phase response of the linear-phase band filters [bands, taps] on the FFT bins, [bands, 257]."""
    w = np.arange(_BINS) * 2 * np.pi / FFT_SAMPLES
    delay = filters.shape[1] // 2
    return (np.fft.rfft(filters, FFT_SAMPLES, axis=1) * np.exp(1j * w * delay)).real


@cache
def _fit() -> Floats:
    """Matrix [257, ORDER] that takes log magnitudes to the mel-cepstrum nearest to them."""
    return np.asarray(np.linalg.pinv(basis()[0]))


def student_filters(
    cepstrum: Floats, strengths: Floats, filters: Floats, gain: float
) -> tuple[Floats, Floats]:
    """Mel-cepstra [frames, ORDER] of the pulse filter and of the noise filter of sharpened teacher frames.

    `strengths` [frames, bands] is the pulse's share of each band; `gain` brings the teacher's 16-bit scale to ±1.
    """
    envelope = cepstrum @ basis(cepstrum.shape[1])[0] + np.log(gain)
    bands = band_response(filters)
    fit = _fit()
    pulse = np.log(np.maximum(np.abs(strengths @ bands), _QUIETEST))
    noise = np.log(np.maximum(np.abs((1 - strengths) @ bands), _QUIETEST))
    return (envelope + pulse) @ fit, (envelope + noise) @ fit
