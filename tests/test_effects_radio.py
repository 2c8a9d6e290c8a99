"""Radio: a band passes, what is overdriven gets harmonics, and it hisses only when asked."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.effects.radio import Options, load
from epsilon.ring import Samples

RATE_HZ = 16_000


def tone(hz: float, level: float = 0.2) -> Samples:
    return (level * np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def gain_db(hz: float) -> float:
    """What a clean radio does to a tone."""
    heard = load(Options(drive=0), RATE_HZ).process(tone(hz))[1000:]
    return float(20 * np.log10(np.std(heard) / np.std(tone(hz)[1000:])))


def test_the_band_passes_and_nothing_else() -> None:
    for hz in (600, 1000, 2000, 3000):
        assert gain_db(hz) == pytest.approx(0, abs=0.5)
    for hz in (60, 4500, 7000):
        assert gain_db(hz) < -20


def test_what_is_overdriven_gets_odd_harmonics_and_keeps_its_level() -> None:
    heard = load(Options(drive=0.5), RATE_HZ).process(tone(700, level=0.4))
    levels = np.abs(np.fft.rfft(heard[:RATE_HZ]))
    assert levels[2100] > 0.05 * levels[700] > 10 * levels[1400]
    assert 0.5 < np.std(heard) / np.std(tone(700, level=0.4)) < 1.1


def test_it_hisses_while_somebody_speaks_and_by_the_same_seed_the_same() -> None:
    quiet, noisy = Options(drive=0), Options(drive=0, noise=0.05, seed=1)
    plain, hissing, again = (load(one, RATE_HZ).process(tone(700)) for one in (quiet, noisy, noisy))
    assert 0.001 < np.std(hissing - plain) < 0.05
    np.testing.assert_array_equal(hissing, again)
