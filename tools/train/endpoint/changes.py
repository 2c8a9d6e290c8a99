"""The same turn heard differently each time: another pace, microphone, throat, room and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epsilon.engines.endpoint.features import BANDS
from tools.train.endpoint.data import Example

EARLY = 14  # windows of silence by which most ends should be known
_WHOLE = 0.25  # of the turns are learned from with all of the silence behind them
_PACE = 0.12  # at most this share of the speech
_PER_FRAME = BANDS + 3


def paced(example: Example, rng: np.random.Generator) -> Example:
    """Some windows of the speech are heard twice or not at all, so that no two hearings are the same."""
    more, less = rng.uniform(0, _PACE, 2)
    drawn = rng.random(len(example.rows))
    times = np.where(example.silence > 0, 1, 1 + (drawn < more) - (drawn > 1 - less))
    kept = np.repeat(np.arange(len(times)), times)
    return replace(
        example,
        rows=example.rows[kept],
        voiced=example.voiced[kept],
        silence=example.silence[kept],
        over=example.over[kept],
    )


def shortened(example: Example, rng: np.random.Generator) -> Example:
    """Mostly without the late silence behind the end, which teaches little."""
    if rng.random() < _WHOLE:
        return example
    count = len(example.rows) - max(0, int(example.silence[-1]) - EARLY)
    return replace(
        example,
        rows=example.rows[:count],
        voiced=example.voiced[:count],
        silence=example.silence[:count],
        over=example.over[:count],
    )


def changed(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another microphone, throat and room: tilted, bent and stretched bands, a few or all of them missing, noise."""
    frames = rows[:, : 2 * _PER_FRAME].reshape(len(rows), 2, _PER_FRAME)
    bands = frames[..., :BANDS]
    places = np.linspace(-1, 1, BANDS, dtype=np.float32)
    bend = rng.normal(0, 0.15) * places + rng.normal(0, 0.12) * np.cos(np.pi * rng.uniform(0.5, 3) * places)
    bands += bend.astype(np.float32) + np.float32(rng.normal(0, 0.07))
    frames[..., BANDS] += np.float32(rng.normal(0, 0.05))
    bands[:] = _throat(bands, rng.normal(0, 0.05), rng.uniform(-1, 1))
    if rng.random() < 0.35:
        floor = rng.uniform(-1.3, 0.0) + rng.normal(0, 0.2) * places + rng.normal(0, 0.05, bands.shape)
        bands[:] = np.maximum(bands, floor.astype(np.float32))
    if rng.random() < 0.4:
        first = rng.integers(BANDS - 4)
        bands[..., first : first + rng.integers(1, 7)] = -1.0
    elif rng.random() < 0.15:
        bands[:] = -1.0
    frames[..., BANDS + 1] *= np.float32(rng.uniform(0.8, 1.1))
    frames[..., BANDS + 2] = (frames[..., BANDS + 2] + np.float32(rng.normal(0, 0.05))) * np.float32(
        rng.uniform(0.7, 1.3)
    )
    frames += rng.normal(0, 0.03, frames.shape).astype(np.float32)
    return rows


def _throat(bands: np.ndarray, stretch: float, shift: float) -> np.ndarray:
    """The bands [n, 2, BANDS] of a longer or shorter throat."""
    at = np.clip(np.arange(BANDS) * (1 + stretch) + shift, 0, BANDS - 1.001)
    low = at.astype(int)
    share = (at - low).astype(np.float32)
    return bands[..., low] * (1 - share) + bands[..., low + 1] * share
