"""Loudness as ITU-R BS.1770-4 measures it, and a limit that never clips."""

from __future__ import annotations

import math

import numpy as np
import pytest

from epsilon.dsp.level import leveled, loudness
from epsilon.dsp.limit import CEILING, KNEE, soft
from epsilon.ring import Samples


def tone(hz: float, rate_hz: int, seconds: float = 2.0, peak: float = 1.0) -> Samples:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_full_tone_of_997_hz_is_3_below(rate_hz: int) -> None:
    assert loudness(tone(997, rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.06)


def standards_gain_db(hz: float) -> float:
    """Of the two filters whose coefficients for 48 kHz are printed in BS.1770-4."""
    turn = np.exp(-2j * np.pi * hz / 48_000)
    gain = 1.0
    for over, under in (
        ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
        ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
    ):
        gain *= float(abs(np.polyval(over[::-1], turn) / np.polyval(under[::-1], turn)))
    return 20 * math.log10(gain)


@pytest.mark.parametrize("hz", [30, 100, 500, 2000, 4000, 7000])
def test_the_ear_weighs_tones_as_the_standard_says(hz: float) -> None:
    assert loudness(tone(hz, 48_000), 48_000) == pytest.approx(standards_gain_db(hz) - 0.691 - 3.01, abs=0.1)


def test_pauses_do_not_make_a_speaker_quieter() -> None:
    speech, pause = tone(500, 16_000, 1.0, 0.2), np.zeros(32_000, np.float32)
    alone = loudness(speech, 16_000)
    assert loudness(np.concatenate([speech, pause, speech, pause, speech]), 16_000) == pytest.approx(
        alone, abs=1.0
    )


def test_half_as_high_is_6_quieter_and_silence_has_no_loudness() -> None:
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, 16_000).astype(np.float32)
    assert loudness(sound * np.float32(0.5), 16_000) == pytest.approx(
        loudness(sound, 16_000) - 6.02, abs=0.01
    )
    assert loudness(np.zeros(16_000, np.float32), 16_000) == -math.inf
    assert loudness(np.zeros(0, np.float32), 16_000) == -math.inf


def test_a_sound_is_made_as_loud_as_wanted() -> None:
    quiet = tone(300, 16_000, 0.3, 0.01)
    assert loudness(leveled(quiet, 16_000, -20.0), 16_000) == pytest.approx(-20, abs=0.05)
    assert not leveled(np.zeros(100, np.float32), 16_000).any()


def test_what_is_inside_passes_and_what_is_not_bends() -> None:
    ramp = np.linspace(-4, 4, 16_001, dtype=np.float32)
    bent = soft(ramp)
    inside = np.abs(ramp) <= KNEE
    np.testing.assert_array_equal(bent[inside], ramp[inside])
    assert np.abs(bent).max() <= np.float32(CEILING) and np.all(np.diff(bent) >= 0)
    assert np.abs(np.diff(bent)).max() <= np.diff(ramp).max() * 1.01, (
        "no corner is steeper than the sound was"
    )
    np.testing.assert_array_equal(np.concatenate([soft(part) for part in np.split(ramp, [70, 9000])]), bent)
