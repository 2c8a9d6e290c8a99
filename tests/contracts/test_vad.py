"""Every voice detector: pieces of any size give the same judgement, silence is silence, people are heard."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from epsilon.realtime import Seat
from epsilon.ring import Samples
from tests.found import engines
from tests.sounds import RATE_HZ, noise, silence, vowels

WINDOW_FRAMES = 512


@pytest.fixture(params=engines("vad"))
def detector(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module(f"epsilon.engines.vad.{request.param}").load(Seat())


def conversation() -> Samples:
    return np.concatenate([silence(1), vowels(), silence(1), vowels(), silence(1)])


def test_one_probability_for_each_window(detector: Any) -> None:
    judged = detector.push(conversation()[: 10 * WINDOW_FRAMES + 100])
    assert len(judged) == 10
    assert all(0 <= probability <= 1 for probability in judged)
    assert len(detector.push(np.zeros(WINDOW_FRAMES - 100, np.float32))) == 1


def test_pieces_of_any_size_give_the_same(detector: Any) -> None:
    sound = conversation()
    whole = detector.push(sound)
    detector.reset()
    cuts = np.sort(np.random.default_rng(1).integers(0, len(sound), 200))
    pieces = [probability for piece in np.split(sound, cuts) for probability in detector.push(piece)]
    assert pieces == whole


def test_silence_is_silence(detector: Any) -> None:
    assert max(detector.push(silence(5))) < 0.1
    assert max(detector.push(noise(5, rms=0.0005))) < 0.3


def test_a_voice_is_heard_and_its_end_too(detector: Any) -> None:
    judged = np.array(detector.push(conversation())) > 0.5
    second = RATE_HZ // WINDOW_FRAMES
    assert not judged[: second - 1].any()
    assert judged[second : int(2.5 * second)].mean() > 0.5
    assert not judged[-second // 2 :].any()


def test_who_listens_closely_hears_at_least_as_early(detector: Any) -> None:
    """And hears the same once there was a voice."""
    sound = np.concatenate([silence(1), vowels()])
    usual = np.array(detector.push(sound)) > 0.5
    detector.reset()
    closely = np.array(detector.push(sound, closely=True)) > 0.5
    assert closely.argmax() <= usual.argmax() and closely.any()
