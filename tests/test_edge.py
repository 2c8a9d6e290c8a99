"""The end of what a card holds is always faded, and is as it was made once more has come."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.devices.edge import EDGE_MS, Edge, after_silence
from epsilon.ring import Samples

RATE_HZ = 16_000
FRAMES = round(EDGE_MS * RATE_HZ / 1000)


def sound(frames: int) -> Samples:
    return np.random.default_rng(1).uniform(-1, 1, frames).astype(np.float32)


@pytest.mark.parametrize("size", [1, 30, 79, 80, 81, 500])
def test_in_whatever_pieces_it_came_only_the_end_is_faded(size: int) -> None:
    made, edge, card = sound(1000), Edge(RATE_HZ), np.zeros(0, np.float32)
    for start in range(0, len(made), size):
        faded = len(edge)
        before, further = edge.extend(made[start : start + size])
        assert len(before) == faded
        card = np.concatenate((card[: len(card) - faded], before, further))
    np.testing.assert_array_equal(card[:-FRAMES], made[:-FRAMES])
    assert np.abs(card[-1]) < 1e-3 and np.all(np.abs(card[-FRAMES:]) <= np.abs(made[-FRAMES:]))
    np.testing.assert_array_equal(edge.made, made[-FRAMES:])


def test_after_silence_sound_rises_from_nothing() -> None:
    made = np.ones(200, np.float32)
    risen = after_silence(made, RATE_HZ)
    assert risen[0] < 1e-3 and np.all(np.diff(risen) >= 0)
    np.testing.assert_array_equal(risen[FRAMES:], made[FRAMES:])
