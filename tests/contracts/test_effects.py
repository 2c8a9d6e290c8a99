"""Every effect: blocks are the whole, silence stays silence, loudness has bounds, mistakes are named."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from epsilon.errors import ConfigError
from epsilon.ring import Samples
from tests.found import modules

RATE_HZ = 16_000


@pytest.fixture(params=modules("effects"), ids=lambda module: module.__name__)
def effect(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def sound(seed: int = 1, frames: int = RATE_HZ) -> Samples:
    return np.random.default_rng(seed).uniform(-1, 1, frames).astype(np.float32)


def test_block_by_block_is_all_at_once(effect: ModuleType) -> None:
    voice = sound()
    whole = effect.load({}, RATE_HZ).process(voice)
    streamed = effect.load({}, RATE_HZ)
    cuts = np.sort(np.random.default_rng(2).integers(0, len(voice), 40))
    blocks = [streamed.process(block) for block in np.split(voice, cuts)]
    assert [len(block) for block in blocks] == [len(block) for block in np.split(voice, cuts)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    assert whole.dtype == np.float32


def test_it_changes_the_voice(effect: ModuleType) -> None:
    voice = sound()
    assert not np.allclose(effect.load({}, RATE_HZ).process(voice), voice, atol=1e-3)


def test_silence_stays_silence(effect: ModuleType) -> None:
    assert not effect.load({}, RATE_HZ).process(np.zeros(RATE_HZ, np.float32)).any()


def test_after_its_tail_it_is_silent(effect: ModuleType) -> None:
    playing = effect.load({}, RATE_HZ)
    playing.process(sound())
    after = playing.process(np.zeros(playing.tail_frames + RATE_HZ // 10, np.float32))
    assert np.abs(after[playing.tail_frames :]).max() < 0.01


@pytest.mark.parametrize("tone_hz", [50, 440, 3000])
def test_loudness_has_bounds(effect: ModuleType, tone_hz: int) -> None:
    tone = np.sin(2 * np.pi * tone_hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    for voice in (tone, sound()):
        changed = effect.load({}, RATE_HZ).process(voice)
        assert np.abs(changed).max() <= 1
        assert 0.2 < np.sqrt(np.mean(changed**2)) / np.sqrt(np.mean(voice**2)) < 1.5


def test_reset_forgets(effect: ModuleType) -> None:
    used = effect.load({}, RATE_HZ)
    used.process(sound(seed=3))
    used.reset()
    np.testing.assert_array_equal(used.process(sound()), effect.load({}, RATE_HZ).process(sound()))


def test_mistaken_options_are_named(effect: ModuleType) -> None:
    name = next(iter(effect.OPTIONS))
    with pytest.raises(ConfigError, match=f"did you mean {name}"):
        effect.load({name + "x": 1}, RATE_HZ)
    with pytest.raises(ConfigError, match=f"{name} should be from"):
        effect.load({name: 1e9}, RATE_HZ)
    with pytest.raises(ConfigError, match=f"{name} should be a number"):
        effect.load({name: "much"}, RATE_HZ)


def test_every_option_at_its_ends(effect: ModuleType) -> None:
    for name, rule in effect.OPTIONS.items():
        for value in (rule.low, rule.high):
            changed = effect.load({name: value}, RATE_HZ).process(sound())
            assert np.isfinite(changed).all() and np.abs(changed).max() <= 1
