"""Every echo canceller: the user stays audible, blocks keep their length, nothing is random, and an echo goes away."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from epsilon.realtime import Seat
from epsilon.ring import Samples
from tests.found import engines
from tests.sounds import RATE_HZ, noise, silence, vowels
from tools.echo_path import Room, echoed

BLOCK_FRAMES = 320
SETTLED_S = 6  # what is measured begins here
CANCELLERS = [name for name in engines("echo") if name != "none"]
LATEST_FRAMES = 400  # a canceller may hold the user back by 25 ms


def load(name: str) -> Any:
    return importlib.import_module(f"epsilon.engines.echo.{name}").load(Seat())


def cancelled(
    name: str,
    microphone: Samples,
    reference: Samples,
    block: int = BLOCK_FRAMES,
    delay_ms: float | None = None,
) -> Samples:
    canceller = load(name)
    if delay_ms is not None:
        canceller.expect(delay_ms)
    return np.concatenate(
        [
            canceller.cancel(microphone[at : at + block], reference[at : at + block])
            for at in range(0, len(microphone) - block + 1, block)
        ]
    )


def toy(seconds: int = 12) -> Samples:
    """A toy that says something each second and a half."""
    phrases = [np.concatenate([vowels(1.2, seed), silence(0.3)]) for seed in range(1, seconds)]
    return np.concatenate(phrases)[: seconds * RATE_HZ]


def loudness(sound: Samples) -> float:
    """The level in decibels of full scale, from where a canceller has settled."""
    return float(10 * np.log10(np.mean(sound[SETTLED_S * RATE_HZ :] ** 2) + 1e-12))


def hiss(count: int) -> Samples:
    """What a microphone makes itself."""
    return noise(count / RATE_HZ, rms=3e-4, seed=9)


@pytest.mark.parametrize("name", engines("echo"))
def test_blocks_keep_their_length_and_silence_stays_silence(name: str) -> None:
    quiet = silence(1)
    found = cancelled(name, quiet, quiet)
    assert found.dtype == np.float32
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


@pytest.mark.parametrize("name", engines("echo"))
@pytest.mark.parametrize("block", [160, 192, 256, 512])
def test_the_blocks_of_a_board_only_add_a_bounded_delay(name: str, block: int) -> None:
    user, quiet = vowels(2.0), silence(2.0)
    whole, cut = cancelled(name, user, quiet), cancelled(name, user, quiet, block)
    late = [
        late
        for late in range(161)
        if np.allclose(cut[late:16_000], whole[: len(cut[late:16_000])], atol=1e-5)
    ]
    assert late, "blocks of this length change the sound"


@pytest.mark.parametrize("name", engines("echo"))
def test_the_user_is_held_back_by_25_ms_at_most(name: str) -> None:
    user = vowels()
    found = cancelled(name, user, np.zeros_like(user))
    size = 2 * len(user)
    likeness = np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(user, size)))
    assert np.argmax(likeness) <= LATEST_FRAMES


@pytest.mark.parametrize("name", CANCELLERS)
@pytest.mark.parametrize(
    "room",
    [
        pytest.param(Room(), id="a room"),
        pytest.param(Room(level_db=6.0), id="loud"),
        pytest.param(Room(delay_ms=1.0, reverberation_ms=1.0), id="nothing but the sound itself"),
        pytest.param(Room(delay_ms=250.0), id="late"),
        pytest.param(Room(reverberation_ms=500.0, seed=2), id="a bathroom"),
        pytest.param(Room(drift_ppm=100.0), id="a slow clock"),
        pytest.param(Room(drift_ppm=-100.0, delay_ms=60.0), id="a fast clock"),
        pytest.param(Room(drive=4.0), id="a poor speaker"),
    ],
)
def test_an_echo_goes_away(name: str, room: Room) -> None:
    left = toy()
    echo = echoed(left, room)
    found = cancelled(name, echo + hiss(len(echo)), left, delay_ms=room.delay_ms)
    assert loudness(echo) - loudness(found) > 20


@pytest.mark.parametrize("name", CANCELLERS)
@pytest.mark.parametrize("delay_ms", [-30.0, 0.0, 700.0])
def test_an_echo_is_found_where_it_is_expected(name: str, delay_ms: float) -> None:
    left = toy()
    shifted = np.roll(left, min(0, round(delay_ms * RATE_HZ / 1000)))
    echo = echoed(shifted, Room(delay_ms=max(0.0, delay_ms)))
    found = cancelled(name, echo + hiss(len(echo)), left, delay_ms=delay_ms)
    assert loudness(echo) - loudness(found) > 20


@pytest.mark.parametrize("name", CANCELLERS)
def test_a_room_that_changes_and_a_microphone_that_was_off_are_learnt_anew(name: str) -> None:
    left = toy()
    echo = echoed(left, Room()) + hiss(len(left))
    echo[: 2 * RATE_HZ] = 0.0
    moved = echoed(left, Room(seed=4, level_db=0.0, delay_ms=25.0))
    changed = np.concatenate([echo[: 4 * RATE_HZ], moved[4 * RATE_HZ :]])
    found = cancelled(name, changed, left)
    assert loudness(changed) - loudness(found) > 20


@pytest.mark.parametrize("name", CANCELLERS)
def test_the_user_survives_double_talk(name: str) -> None:
    """User and echo are as loud; what is left is the user, at most 6 dB quieter than without the echo."""
    left = toy()
    echo = echoed(left, Room())
    user = np.concatenate([silence(SETTLED_S), 0.5 * vowels(6.0, seed=77)], dtype=np.float32)
    alone = cancelled(name, user + hiss(len(user)), np.zeros_like(left))
    together = cancelled(name, echo + user + hiss(len(user)), left)
    assert abs(loudness(echo) - loudness(user)) < 3
    assert -6 < loudness(together) - loudness(alone) < 1
    heard, said = together[SETTLED_S * RATE_HZ :], alone[SETTLED_S * RATE_HZ :]
    assert np.corrcoef(heard, said)[0, 1] > 0.6
