"""Breath: what the vocal cords do becomes noise, the mouth around it stays."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.effects.breath import Options, load
from epsilon.ring import Samples
from tests.test_effects_pitch import RATE_HZ, resonance_hz, spectrum, vowel


def breathed(voice: Samples, mix: float, seed: int = 0) -> Samples:
    return load(Options(mix, seed), RATE_HZ).process(voice)


def tonality(voice: Samples) -> float:
    """How far the harmonics of 125 Hz stand out between 1 and 3 kHz."""
    energy = spectrum(voice)[1000:3000] ** 2
    return float(energy.reshape(-1, 125).mean(axis=0)[[0, 1, -1]].mean() / energy.mean())


def test_a_whisper_has_no_pitch_but_the_same_formants() -> None:
    voice = vowel(125)
    whisper = breathed(voice, 1)
    assert tonality(voice) > 20 > 2 > tonality(whisper)
    assert resonance_hz(whisper, 2000, 3300) == pytest.approx(resonance_hz(voice, 2000, 3300), rel=0.05)


def test_a_hoarse_voice_lies_between() -> None:
    voice = vowel(125)
    assert tonality(voice) > tonality(breathed(voice, 0.3)) > tonality(breathed(voice, 1))


def test_it_is_about_as_loud_as_before() -> None:
    voice = vowel(125)
    for mix in (0.3, 1):
        assert 0.7 < np.std(breathed(voice, mix)[4000:]) / np.std(voice[4000:]) < 1.2


def test_the_same_seed_breathes_the_same() -> None:
    voice = vowel(125)
    np.testing.assert_array_equal(breathed(voice, 0.5, seed=3), breathed(voice, 0.5, seed=3))
    assert not np.array_equal(breathed(voice, 0.5, seed=3), breathed(voice, 0.5, seed=4))
