"""Whisper's log-mel features in torch: 80 bands, 25 ms windows, 10 ms hop, floor 8 decades down.

Source: Radford et al. 2022, section 2.2; the mel filters are the Slaney ones that the public checkpoints use.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RATE_HZ = 16_000
WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
BANDS = 80


def _edges_hz() -> NDArray[np.float64]:
    """The corners of the 80 triangles, linear in mel below 1 kHz and logarithmic above (Slaney)."""
    top = 15 + np.log(RATE_HZ / 2 / 1000) / (np.log(6.4) / 27)
    mels = np.linspace(0, top, BANDS + 2)
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))


def band_centres_hz() -> NDArray[np.float64]:
    """[80] where each triangle is highest."""
    return _edges_hz()[1:-1]


def mel_filters() -> NDArray[np.float32]:
    """[80, 201] triangles of equal area."""
    edges_hz = _edges_hz()
    bins_hz = np.linspace(0, RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    widths = np.diff(edges_hz)[:, None]
    slopes = edges_hz[:, None] - bins_hz
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    return np.asarray(triangles * (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None], np.float32)


_FILTERS = torch.from_numpy(mel_filters())
_WINDOW = torch.hann_window(WINDOW_SAMPLES)


def mel_power(waves: Tensor) -> Tensor:
    """[B, samples] in -1 … 1 → [B, 80, samples // 160] mel power."""
    window, filters = _WINDOW.to(waves.device), _FILTERS.to(waves.device)
    spectrum = torch.stft(waves, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True)[..., :-1]
    return torch.matmul(filters, spectrum.real.square() + spectrum.imag.square())


def log_power(power: Tensor) -> Tensor:
    """Mel power → its log10; digital silence gives -10."""
    return power.clamp(min=1e-10).log10()


def normalise(log: Tensor) -> Tensor:
    """Log power → Whisper's scale; the floor depends on the loudest cell of each window."""
    loudest = log.amax((1, 2), keepdim=True)
    return (torch.maximum(log, loudest - 8) + 4) / 4


def log_mel(waves: Tensor) -> Tensor:
    """[B, samples] in -1 … 1 → [B, 80, samples // 160] features."""
    return normalise(log_power(mel_power(waves)))
