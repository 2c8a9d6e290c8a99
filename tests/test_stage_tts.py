"""Tts: a phrase's chunks, then its end; and an end that does not click, whatever the voice does."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.stages.tts import END_FRAMES, ending_softly

ENDS = (500, 1000)


@pytest.mark.parametrize("size", [30, 400, 1000])
def test_a_voice_that_stops_in_mid_sound_is_faded_out(size: int) -> None:
    made = np.random.default_rng(1).uniform(0.5, 1, 1000).astype(np.float32)
    pieces = [(made[start : start + size], ENDS) for start in range(0, len(made), size)]
    soft = list(ending_softly(iter(pieces)))
    sound = np.concatenate([samples for samples, _ in soft])
    np.testing.assert_array_equal(sound[:-END_FRAMES], made[:-END_FRAMES])
    assert len(sound) == len(made) and abs(sound[-1]) < 1e-3
    assert all(word_ends == ENDS for _, word_ends in soft)


def test_nothing_stays_nothing() -> None:
    assert [len(samples) for samples, _ in ending_softly(iter(()))] == [0]
