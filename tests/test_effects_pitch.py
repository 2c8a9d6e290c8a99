"""Pitch: the voice goes up or down by what was asked, and its resonances by what was asked of them."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.effects.pitch import Options, load
from epsilon.ring import Samples

RATE_HZ = 16_000
FORMANTS_HZ = (700, 1100, 2600, 3500, 4500, 5500, 6500)  # of an open a
CLEAR = (
    (700, 0.08),
    (1100, 0.1),
    (2600, 0.01),
)  # how well each can be told: the first two lie close together


def semitones(count: float) -> float:
    """As a ratio."""
    return float(2 ** (count / 12))


def vowel(pitch_hz: float, seconds: float = 1.0) -> Samples:
    """Harmonics of a voice with resonances 120 Hz wide (Klatt 1980), no louder than a half."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    harmonics = pitch_hz * np.arange(1, int(7500 / pitch_hz))
    levels = np.ones(len(harmonics))
    for formant_hz in FORMANTS_HZ:
        levels /= np.abs(1 - (harmonics / formant_hz) ** 2 + 1j * 120 * harmonics / formant_hz**2)
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, len(harmonics))
    voice = (levels[:, None] * np.sin(2 * np.pi * harmonics[:, None] * at + phases[:, None])).sum(axis=0)
    return (0.5 * voice / np.abs(voice).max()).astype(np.float32)


def spectrum(samples: Samples) -> Samples:
    """Magnitudes, one for each hertz, of the settled part."""
    settled = samples[RATE_HZ // 4 :]
    return np.abs(np.fft.rfft(settled * np.hanning(len(settled)), RATE_HZ))


def resonance_hz(samples: Samples, low_hz: int, high_hz: int) -> float:
    """Where the energy between two frequencies has its middle."""
    energy = spectrum(samples)[low_hz:high_hz] ** 2
    return float(low_hz + (np.arange(len(energy)) * energy).sum() / energy.sum())


def changed(voice: Samples, pitch: float = 0.0, formants: float = 0.0) -> Samples:
    return load(Options(pitch, formants), RATE_HZ).process(voice)


@pytest.mark.parametrize("pitch", [-7, -4, 2, 4, 7])
@pytest.mark.parametrize("formants", [0, 3])
def test_a_tone_moves_by_the_semitones_asked(pitch: int, formants: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    assert np.argmax(spectrum(changed(tone, pitch, formants))) == pytest.approx(200 * semitones(pitch), abs=1)


@pytest.mark.parametrize("pitch", [-4, 4])
def test_the_formants_of_a_vowel_stay_when_its_pitch_moves(pitch: int) -> None:
    voice = vowel(110)
    moved = changed(voice, pitch)
    for formant_hz, tolerance in CLEAR:
        band = formant_hz - 300, formant_hz + 300
        assert resonance_hz(moved, *band) == pytest.approx(resonance_hz(voice, *band), rel=tolerance)


@pytest.mark.parametrize("formants", [-3, 3])
def test_the_formants_move_when_asked_and_the_pitch_stays(formants: int) -> None:
    voice = vowel(110)
    moved = changed(voice, formants=formants)
    ratio = semitones(formants)
    for formant_hz, tolerance in CLEAR:
        low_hz, high_hz = formant_hz - 300, formant_hz + 300
        found = resonance_hz(moved, round(low_hz * ratio), round(high_hz * ratio))
        assert found == pytest.approx(ratio * resonance_hz(voice, low_hz, high_hz), rel=tolerance)
    strongest = int(np.argmax(spectrum(moved)))
    assert strongest % 110 in (0, 1, 109)  # a harmonic of the same pitch


@pytest.mark.parametrize(("pitch", "formants"), [(4, 0), (-4, 0), (0, 3), (0, -3), (3, 3)])
def test_it_is_as_loud_as_before(pitch: int, formants: int) -> None:
    voice = vowel(110)
    before, after = (
        np.sqrt(np.mean(sound[RATE_HZ // 4 :] ** 2)) for sound in (voice, changed(voice, pitch, formants))
    )
    assert abs(20 * np.log10(after / before)) < 1


def test_a_spliced_voice_stays_smooth() -> None:
    """Between the harmonics of the new pitch there is next to nothing: splices neither click nor roughen."""
    tuned = spectrum(changed(vowel(120), pitch=3, formants=3))
    pitch_hz = 120 * semitones(3)
    apart = np.abs(np.arange(len(tuned)) / pitch_hz - np.rint(np.arange(len(tuned)) / pitch_hz))
    between, harmonics = tuned[apart > 0.25] ** 2, tuned[apart <= 0.25] ** 2
    assert between.sum() < 0.01 * harmonics.sum()


def test_nothing_asked_is_nothing_done() -> None:
    voice = vowel(110)
    effect = load(Options(), RATE_HZ)
    np.testing.assert_array_equal(effect.process(voice), voice)
    assert effect.delay_frames == effect.tail_frames == 0
