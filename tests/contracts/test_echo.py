"""Every echo canceller: the user stays audible, blocks keep their length, nothing is random."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from epsilon.realtime import Seat
from epsilon.ring import Samples
from tests.found import engines
from tests.sounds import noise, silence, vowels

BLOCK_FRAMES = 320


def load(name: str) -> Any:
    return importlib.import_module(f"epsilon.engines.echo.{name}").load(Seat())


def cancelled(name: str, microphone: Samples, reference: Samples) -> Samples:
    canceller = load(name)
    blocks = range(0, len(microphone) - BLOCK_FRAMES + 1, BLOCK_FRAMES)
    return np.concatenate(
        [
            canceller.cancel(microphone[at : at + BLOCK_FRAMES], reference[at : at + BLOCK_FRAMES])
            for at in blocks
        ]
    )


@pytest.mark.parametrize("name", engines("echo"))
def test_blocks_keep_their_length_and_silence_stays_silence(name: str) -> None:
    quiet = silence(1)
    found = cancelled(name, quiet, quiet)
    assert len(found) == len(quiet) // BLOCK_FRAMES * BLOCK_FRAMES
    assert not np.any(found)


@pytest.mark.parametrize("name", engines("echo"))
def test_the_user_is_heard_as_loud_as_before_while_the_toy_is_silent(name: str) -> None:
    user = vowels()
    found = cancelled(name, user, np.zeros_like(user))
    before = user[: len(found)]
    assert 0.7 < np.sqrt(np.mean(found**2) / np.mean(before**2)) < 1.4


@pytest.mark.parametrize("name", engines("echo"))
def test_the_same_sound_gives_the_same_bits(name: str) -> None:
    user = vowels()
    echo = noise(len(user) / 16_000, rms=0.01)
    assert np.array_equal(cancelled(name, user, echo), cancelled(name, user, echo))
