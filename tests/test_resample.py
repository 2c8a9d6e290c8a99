"""Resampling: the stream equals the whole, keeps tones, removes what would fold back."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.dsp.resample import StreamResampler, resample
from epsilon.ring import Samples

PAIRS = [(48_000, 16_000), (16_000, 48_000), (44_100, 16_000), (16_000, 44_100), (16_000, 16_000)]


def streamed(sound: Samples, from_hz: int, to_hz: int, block: int) -> Samples:
    resampler = StreamResampler(from_hz, to_hz)
    pieces = [resampler.push(sound[at : at + block]) for at in range(0, len(sound), block)]
    return np.concatenate([*pieces, resampler.finish()])


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_in_pieces_equals_at_once(from_hz: int, to_hz: int) -> None:
    sound = np.random.default_rng(1).standard_normal(3001).astype(np.float32)
    whole = streamed(sound, from_hz, to_hz, len(sound))
    for block in (1, 7, 441):
        np.testing.assert_array_equal(streamed(sound, from_hz, to_hz, block), whole)


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_tone_stays_the_tone_at_its_place(from_hz: int, to_hz: int) -> None:
    def tone(rate_hz: int) -> Samples:
        return np.sin(2 * np.pi * 1000 * np.arange(rate_hz // 2) / rate_hz).astype(np.float32)

    made = streamed(tone(from_hz), from_hz, to_hz, from_hz // 100)
    assert len(made) == pytest.approx(to_hz // 2, abs=2)
    middle = slice(to_hz // 20, to_hz // 3)
    np.testing.assert_allclose(made[middle], tone(to_hz)[middle], atol=2e-3)
    np.testing.assert_allclose(
        resample(tone(from_hz), from_hz, to_hz)[middle], tone(to_hz)[middle], atol=2e-3
    )


def test_what_would_fold_back_is_removed() -> None:
    high = np.sin(2 * np.pi * 9_500 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(streamed(high, 48_000, 16_000, 480)[100:-100]).max() < 0.001


def test_it_holds_back_a_millisecond() -> None:
    assert StreamResampler(48_000, 16_000).delay_s == pytest.approx(0.001, abs=2e-4)
    resampler = StreamResampler(48_000, 16_000)
    assert len(resampler.push(np.zeros(480, np.float32))) >= 160 - 17
