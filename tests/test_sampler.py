"""The sampler follows its settings, and the same seed makes the same choices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epsilon.config.character import Sampling
from epsilon.engines.llm.sampler import Sampler

PLAIN = Sampling(temperature=1.0, top_p=1.0, min_p=0.0, repetition=1.0)


def logits(*probabilities: float) -> np.ndarray:
    return np.log(np.array(probabilities, np.float32))


def shares(settings: Sampling, scores: np.ndarray, count: int = 4000) -> np.ndarray:
    """How often each token is chosen by fresh samplers of different seeds."""
    chosen = [Sampler(settings, seed=(seed, 1)).pick(scores) for seed in range(count)]
    return np.bincount(chosen, minlength=len(scores)) / count


def test_temperature_zero_takes_the_likeliest() -> None:
    sampler = Sampler(Sampling(temperature=0.0, repetition=1.0), seed=1)
    assert [sampler.pick(logits(0.2, 0.5, 0.3)) for _ in range(5)] == [1] * 5


def test_temperature_one_follows_the_probabilities() -> None:
    found = shares(PLAIN, logits(0.1, 0.6, 0.3))
    np.testing.assert_allclose(found, [0.1, 0.6, 0.3], atol=0.03)


def test_lower_temperature_sharpens() -> None:
    found = shares(replace(PLAIN, temperature=0.5), logits(0.1, 0.6, 0.3))
    np.testing.assert_allclose(found, np.array([0.01, 0.36, 0.09]) / 0.46, atol=0.03)


def test_top_p_leaves_the_unlikely_out() -> None:
    found = shares(Sampling(temperature=1.0, top_p=0.7, min_p=0.0, repetition=1.0), logits(0.1, 0.6, 0.3))
    np.testing.assert_allclose(found, [0, 2 / 3, 1 / 3], atol=0.03)


def test_min_p_is_a_share_of_the_likeliest() -> None:
    found = shares(Sampling(temperature=1.0, top_p=1.0, min_p=0.4, repetition=1.0), logits(0.1, 0.6, 0.3))
    np.testing.assert_allclose(found, [0, 2 / 3, 1 / 3], atol=0.03)


def test_a_token_already_said_becomes_less_likely() -> None:
    settings = Sampling(temperature=0.0, repetition=2.0)
    sampler = Sampler(settings, seed=1)
    scores = np.array([1.0, 0.9, -1.0], np.float32)
    assert [sampler.pick(scores) for _ in range(3)] == [0, 1, 0]
    negative = Sampler(settings, seed=1)
    assert [negative.pick(np.array([-1.0, -1.5], np.float32)) for _ in range(2)] == [0, 1]


def test_the_same_seed_chooses_the_same() -> None:
    scores = np.random.default_rng(1).normal(size=500).astype(np.float32)
    settings = Sampling(temperature=1.0)
    first, second = Sampler(settings, seed=(5, 2)), Sampler(settings, seed=(5, 2))
    other = Sampler(settings, seed=(5, 3))
    chosen = [first.pick(scores) for _ in range(20)]
    assert chosen == [second.pick(scores) for _ in range(20)]
    assert chosen != [other.pick(scores) for _ in range(20)]


def test_the_logits_are_left_as_they_were() -> None:
    scores = logits(0.2, 0.8)
    before = scores.copy()
    sampler = Sampler(Sampling(temperature=1.0, repetition=1.5), seed=1)
    for _ in range(3):
        sampler.pick(scores)
    np.testing.assert_array_equal(scores, before)
