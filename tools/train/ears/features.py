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


def mel_filters() -> NDArray[np.float32]:
    """[80, 201] triangles of equal area, linear in mel below 1 kHz and logarithmic above (Slaney)."""
    top = 15 + np.log(RATE_HZ / 2 / 1000) / (np.log(6.4) / 27)
    mels = np.linspace(0, top, BANDS + 2)
    edges_hz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins_hz = np.linspace(0, RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    widths = np.diff(edges_hz)[:, None]
    slopes = edges_hz[:, None] - bins_hz
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    return np.asarray(triangles * (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None], np.float32)


_FILTERS = torch.from_numpy(mel_filters())
_WINDOW = torch.hann_window(WINDOW_SAMPLES)


def mel_power(waves: Tensor) -> Tensor:
    """[B, samples] in -1 … 1 → [B, 80, samples // 160] mel power."""
    spectrum = torch.stft(waves, WINDOW_SAMPLES, HOP_SAMPLES, window=_WINDOW, return_complex=True)[..., :-1]
    return torch.matmul(_FILTERS, spectrum.real.square() + spectrum.imag.square())


def normalise(power: Tensor) -> Tensor:
    """Mel power → Whisper's log scale; the floor depends on the loudest cell of each window."""
    log = power.clamp(min=1e-10).log10()
    loudest = log.amax((1, 2), keepdim=True)
    return (torch.maximum(log, loudest - 8) + 4) / 4


def log_mel(waves: Tensor) -> Tensor:
    """[B, samples] in -1 … 1 → [B, 80, samples // 160] features."""
    return normalise(mel_power(waves))
