"""What the voice's evaluation measures of a sound, on sounds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sounds import buzz, glide, noise
from tools.evaluate.voice import RATE_HZ, faults, pitch, prosody, spectra, timing

# Melody


@pytest.mark.parametrize("hz", [75.0, 118.0, 205.0, 333.0, 450.0])
def test_a_tone_has_its_pitch(hz: float) -> None:
    f0_hz = pitch.track(buzz(hz))[5:-5]
    assert (f0_hz > 0).all()
    assert np.abs(1200 * np.log2(f0_hz / hz)).max() < 5  # cents


def test_a_glide_is_followed() -> None:
    f0_hz = pitch.track(glide(100, 200))[5:-5]
    wanted = np.geomspace(100, 200, 101)[5:-5]
    assert np.abs(1200 * np.log2(f0_hz / wanted)).max() < 15


def test_weak_odd_harmonics_are_no_octave() -> None:
    """As in a nasal sound of a low voice."""
    tone = buzz(200, 0.5) + 0.25 * buzz(100, 0.5)
    assert np.median(pitch.track(tone)) == pytest.approx(100, rel=0.01)


def test_noise_and_silence_have_no_pitch() -> None:
    assert (pitch.track(noise(1.0, 0.1)) > 0).mean() < 0.05
    assert not pitch.track(np.zeros(8000, np.float32)).any()
    assert pitch.track(np.zeros(0, np.float32)).tolist() == [0.0]


def test_a_pause_has_no_pitch_and_the_frames_around_it_keep_their_places() -> None:
    f0_hz = pitch.track(np.concatenate([buzz(200, 0.5), np.zeros(8000, np.float32), buzz(150, 0.5)]))
    assert not f0_hz[56:95].any()
    assert np.median(f0_hz[:46]) == pytest.approx(200, rel=0.01)
    assert np.median(f0_hz[105:]) == pytest.approx(150, rel=0.01)


# Spectrum


def test_equal_sounds_are_no_decibel_apart_and_loudness_does_not_count() -> None:
    first = spectra.mel_cepstra(noise(1.0, 0.1))
    path = spectra.in_step(first, first)
    assert path.tolist() == [[at, at] for at in range(len(first))]
    assert spectra.distortion_db(first, first, path).max() == 0
    louder = spectra.mel_cepstra(4 * noise(1.0, 0.1))
    assert spectra.distortion_db(first, louder, path).max() < 1e-3
    assert louder[:, 0] - first[:, 0] == pytest.approx(np.log(4), abs=1e-3)


def test_one_coefficient_apart_is_what_the_formula_says() -> None:
    one = np.zeros((4, 14))
    other = one.copy()
    other[:, 3] = 0.5
    path = np.array([[0, 0], [1, 1]])
    assert spectra.distortion_db(one, other, path) == pytest.approx(10 / np.log(10) * np.sqrt(2) * 0.5)


def test_a_slower_reading_is_brought_into_step() -> None:
    quick = np.random.default_rng(1).standard_normal((20, 14))
    path = spectra.in_step(np.repeat(quick, 2, axis=0), quick)
    assert {tuple(pair) for pair in path} == {(at, at // 2) for at in range(40)}


def test_levels_are_those_of_the_sound() -> None:
    sine = np.sin(2 * np.pi * 440 * np.arange(16000) / RATE_HZ).astype(np.float32)
    assert spectra.levels_db(0.5 * sine)[50] == pytest.approx(-9.03, abs=0.1)
    assert faults.level_db(0.5 * sine) == pytest.approx(-9.03, abs=0.1)
    assert faults.level_db(np.zeros(0, np.float32)) == -120


# Timing


def test_symbols_that_both_say_are_compared() -> None:
    ours, theirs = ["$", "K", "AE1", "T", " ", "S", "$"], ["$", "K", "AE0", "D", " ", "S", "$"]
    pairs = timing.matched(ours, [1, 2, 3, 4, 5, 6, 7], theirs, [10, 20, 30, 40, 50, 60, 70])
    assert pairs.tolist() == [
        [2, 20],
        [3, 30],
        [6, 60],
    ]  # stress does not matter, spaces and pads are no phonemes


def test_ends_become_durations_and_commas_have_a_start() -> None:
    assert timing.durations([160, 480, 480], 1000 / RATE_HZ) == [10, 20, 0]
    assert timing.comma_starts(["$", "K", ",", "T", "."], [10, 20, 30, 40, 50]) == [20]


# Faults


def test_a_click_stands_out_from_the_steps_around_it() -> None:
    sound = buzz(150)
    assert not any(faults.is_click(sound, at) for at in range(1000, 9000, 7))
    broken = sound.copy()
    broken[5000:] += 0.2
    assert faults.is_click(broken, 5000) and not faults.is_click(broken, 4990)
    assert not faults.is_click(sound, 0) and not faults.is_click(sound, len(sound))
    quiet = np.zeros(1000, np.float32)
    quiet[500:] = 5e-4  # nobody hears it
    assert not faults.is_click(quiet, 500)


def test_a_phrase_that_stops_in_the_middle_of_a_vowel_is_broken_off() -> None:
    sound = np.concatenate([buzz(150)[:5003], np.zeros(3000, np.float32)])
    sound[5002] = 0.13
    assert faults.breaks_off(sound, 5003)
    assert not faults.breaks_off(sound, 6000) and not faults.breaks_off(sound, len(sound))


def test_clipped_samples_are_counted() -> None:
    assert faults.clipped(np.array([0.5, 1.0, -1.0, 0.998], np.float32)) == 2


def test_endings_rise_and_fall_and_a_monotone_does_neither() -> None:
    level = buzz(150, 0.8)
    rises = prosody.ending(np.concatenate([level, glide(150, 200, 0.2)]))
    falls = prosody.ending(np.concatenate([level, glide(150, 110, 0.2)]))
    assert rises is not None and falls is not None
    assert rises > 2 and falls < -2
    assert prosody.ending(level) == pytest.approx(0, abs=0.05)
    assert prosody.span(level) == pytest.approx(0, abs=0.1)
    assert prosody.span(glide(100, 200)) == pytest.approx(0.9 * 12, abs=0.6)
    assert prosody.ending(noise(1.0, 0.1)) is None and prosody.span(np.zeros(8000, np.float32)) is None


def test_pairs_say_how_many_differ() -> None:
    sounds = {"a": buzz(150), "b": glide(150, 250)}
    found = prosody.pairs(sounds.__getitem__, [("a", "b"), ("a", "a")], prosody.ending)
    assert found["differ"] == [1, 2]
