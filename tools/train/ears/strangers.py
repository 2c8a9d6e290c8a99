"""Makes strangers of known voices: other throats, other pitch, other pace, each apart from the others.

Pitch and pace change together when sound is resampled. On log-mel features the other two follow cheaply: the
smooth part of a spectrum, its formants, is moved along the bands while the fine part, the harmonics, stays
(vocal tract length perturbation, Jaitly and Hinton 2013, on the envelope alone); frames are read faster or slower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tools.train.ears.features import BANDS, band_centres_hz

MAX_FRAMES = 1000
SILENCE = -10.0  # log10 power of digital silence
_ENVELOPE_PARTS = 18  # cosines over the bands that make up the envelope
_THROATS = np.geomspace(0.76, 1.32, 29)


@dataclass(frozen=True)
class Strangers:
    """A row for each utterance of a batch, all factors: resampling, throat (formants), frames per frame before."""

    speed: NDArray[np.float64]
    throat: NDArray[np.float64]
    length: NDArray[np.float64]


def draw_strangers(count: int, strength: float, rng: np.random.Generator) -> Strangers:
    """Mostly small changes; one in eight, at full strength of drawing, speaks with a child's pitch."""
    often = min(1.0, 1.6 * strength)
    speed = np.where(rng.random(count) < 0.2 + 0.6 * strength, rng.uniform(0.87, 1.16, count), 1.0)
    child = rng.random(count) < 0.13 * often
    speed = np.where(child, rng.uniform(1.15, 1.45, count), speed)
    keeps_pace = child | (rng.random(count) < 0.5)
    length = np.where(keeps_pace, speed, 1.0) * np.exp(0.09 * often * rng.standard_normal(count))
    wide = np.exp(rng.uniform(np.log(0.84), np.log(1.2), count))
    throat = np.where(rng.random(count) < 0.7 * often, np.where(child, wide**0.6, wide), 1.0)
    return Strangers(speed, throat, np.clip(length, 0.8, 1.5))


def throat_matrices() -> Tensor:
    """[factors, 80, 80]: the log spectrum whose envelope lies higher by each factor, the rest left in place."""
    bands = np.arange(BANDS)
    cosines = np.cos(np.pi * (bands[None] + 0.5) * np.arange(_ENVELOPE_PARTS)[:, None] / BANDS)
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    smooth = cosines.T @ cosines
    centres_hz = band_centres_hz()
    found = []
    for factor in _THROATS:
        places = np.interp(centres_hz / factor, centres_hz, bands)
        low = np.minimum(places.astype(int), BANDS - 2)
        move = np.zeros((BANDS, BANDS))
        move[bands, low], move[bands, low + 1] = 1 - (places - low), places - low
        found.append(np.eye(BANDS) - smooth + move @ smooth)
    return torch.from_numpy(np.stack(found)).float()


def change_throats(log: Tensor, factors: NDArray[np.float64], matrices: Tensor) -> Tensor:
    """[B, 80, T] → the same with every row's formants moved by the nearest known factor; 1 changes nothing."""
    changed = np.flatnonzero(factors != 1.0)
    if len(changed) == 0:
        return log
    nearest = np.abs(np.log(_THROATS)[None] - np.log(factors[changed])[:, None]).argmin(1)
    log[changed] = torch.bmm(matrices[torch.from_numpy(nearest)], log[changed])
    return log


def change_lengths(log: Tensor, ends: list[int], factors: NDArray[np.float64]) -> Tensor:
    """[B, 80, T] → [B, 80, T'], each row longer by its factor; `ends` are the frames where the rows' sound ends.

    What lies behind the end becomes digital silence where frames are missing. T' is a multiple of four.
    """
    ends_in_frames = np.maximum(4, np.array(ends))
    factors = np.minimum(factors, MAX_FRAMES / ends_in_frames)
    longest = max(int((ends_in_frames * factors).max()), min(log.shape[2], MAX_FRAMES))
    total = min(MAX_FRAMES, (longest + 3) // 4 * 4)
    places = torch.arange(total)[None] / torch.from_numpy(factors).float()[:, None]
    places = places.to(log.device)
    beyond = places > log.shape[2] - 1
    left = places.clamp(max=log.shape[2] - 2).long()
    part = (places - left).clamp(0, 1)[:, None]
    index = left[:, None].expand(-1, BANDS, -1)
    stretched = torch.gather(log, 2, index) * (1 - part) + torch.gather(log, 2, index + 1) * part
    return stretched.masked_fill(beyond[:, None], SILENCE)
