"""What is much fainter than this user is not this user."""

from __future__ import annotations

import pytest

from epsilon.loudness import FAINT_DB, FAR_DB, WARY_FRAMES, Loudness, level_db
from tests.sounds import noise, silence


def test_before_the_user_was_heard_nobody_is_far() -> None:
    assert not Loudness().is_far(noise(0.032, rms=0.0001))


def test_a_voice_much_fainter_than_the_users_is_far() -> None:
    loudness = Loudness()
    for seed in range(30):
        loudness.learn(noise(0.032, rms=0.1, seed=seed))
    assert not loudness.is_far(noise(0.032, rms=0.05))
    assert loudness.is_far(noise(0.032, rms=0.1 * 10 ** (-(FAR_DB + 3) / 20)))


def test_words_may_begin_more_faintly_until_that_was_a_mistake() -> None:
    loudness = Loudness()
    for seed in range(30):
        loudness.learn(noise(0.032, rms=0.1, seed=seed))
    hiss = noise(0.032, rms=0.1 * 10 ** (-(FAR_DB + FAINT_DB) / 2 / 20))
    assert loudness.is_far(hiss) and not loudness.is_far_beginning(hiss, 1_000)
    loudness.mistook(1_000)
    assert loudness.is_far_beginning(hiss, WARY_FRAMES)
    assert not loudness.is_far_beginning(hiss, 1_000 + WARY_FRAMES)


def test_a_user_who_moves_away_is_learnt_anew() -> None:
    loudness = Loudness()
    for rms in [0.2] * 50 + [0.02] * 200:
        loudness.learn(noise(0.032, rms=rms))
    assert not loudness.is_far(noise(0.032, rms=0.02))


def test_levels_are_in_db_of_full_scale() -> None:
    assert level_db(noise(1, rms=0.1)) == pytest.approx(-20, abs=0.2)
    assert level_db(silence(0.1)) == pytest.approx(-80)
