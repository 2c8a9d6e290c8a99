"""The log-mel is Whisper's, and what grows piece by piece is what is computed at once."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.dsp.mel import BANDS, LogMel, filters
from tests.sounds import noise, silence, vowels

# Places and heights of some peaks of the filter bank that comes with the public Whisper checkpoints.
PUBLISHED_PEAKS = {0: (1, 0.024862595), 10: (10, 0.019908218), 40: (43, 0.014735566), 79: (192, 0.0031647119)}
BOTH = (80, 128)  # numbers of bands that public checkpoints have


def by_definition(sound: np.ndarray, frames: int, bands: int = BANDS) -> np.ndarray:
    """Radford et al. 2022, written plainly: pad with zeros, mirror the ends, window after window."""
    padded = np.pad(sound.astype(np.float64), (0, frames * 160 - len(sound)))
    mirrored = np.pad(padded, 200, mode="reflect")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    rows = []
    for frame in range(frames):
        power = np.abs(np.fft.rfft(mirrored[frame * 160 : frame * 160 + 400] * hann)) ** 2
        rows.append(np.log10(np.maximum(power @ filters(bands).astype(np.float64), 1e-10)))
    log = np.array(rows).T
    return (np.maximum(log, log.max() - 8) + 4) / 4


def pushed(sound: np.ndarray, *cuts: int, bands: int = BANDS) -> LogMel:
    mel = LogMel(bands)
    for piece in np.split(sound, cuts):
        mel.push(piece)
    return mel


def test_the_filters_are_the_published_ones() -> None:
    assert filters().shape == (201, BANDS)
    for band, (place, height) in PUBLISHED_PEAKS.items():
        assert int(np.argmax(filters()[:, band])) == place
        assert filters()[place, band] == pytest.approx(height, rel=1e-5)


@pytest.mark.parametrize("bands", BOTH)
@pytest.mark.parametrize("length", [1, 150, 200, 201, 399, 400, 401, 560, 5000, 31_999])
def test_it_is_the_log_mel_by_definition(length: int, bands: int) -> None:
    sound = vowels(2)[:length] + noise(2, 0.001)[:length]
    found = pushed(sound, bands=bands).window(300)
    assert found.shape == (1, bands, 300) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], by_definition(sound, 300, bands), atol=1e-4)


@pytest.mark.train
@pytest.mark.parametrize("bands", BOTH)
def test_it_is_what_transformers_computes(bands: int) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    extractor = transformers.WhisperFeatureExtractor(feature_size=bands)
    for seed, seconds in enumerate((0.3, 2.0, 14.97)):
        sound = vowels(seconds, seed=seed) + noise(seconds, 0.001)
        expected = extractor(sound, sampling_rate=16_000, return_tensors="np")["input_features"]
        found = pushed(sound, len(sound) // 3, bands=bands).window(3000)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_any_size_give_the_same_bits(seed: int) -> None:
    sound = vowels(1.3, seed=seed)
    random = np.random.default_rng(seed)
    cuts = np.sort(random.integers(0, len(sound), 30))
    np.testing.assert_array_equal(pushed(sound, *cuts).window(200), pushed(sound).window(200))


def test_looking_does_not_change_what_comes() -> None:
    sound = vowels(1)
    looked = LogMel()
    for piece in np.array_split(sound, 7):
        looked.push(piece)
        looked.window(200)
    np.testing.assert_array_equal(looked.window(200), pushed(sound).window(200))


def test_nothing_is_the_floor() -> None:
    for mel in (LogMel(), pushed(silence(0.5))):
        np.testing.assert_allclose(mel.window(100), np.full((1, BANDS, 100), -1.5), atol=1e-6)


def test_sound_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="100 feature frames do not fit into 99"):
        pushed(vowels(1)).window(99)


def test_the_quietest_place_lies_in_the_pause() -> None:
    sound = np.concatenate([vowels(1, seed=1), silence(0.3), vowels(1, seed=2)])
    assert 100 < pushed(sound).quietest(20, 200) < 130
