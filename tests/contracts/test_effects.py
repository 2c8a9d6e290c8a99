"""Every effect: blocks are the whole, silence stays silence, loudness has bounds, mistakes are named."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from epsilon.config.character import EffectSettings
from epsilon.config.document import Table, Text
from epsilon.config.fields import settings_of, spec_of
from epsilon.config.units import show, split_name
from epsilon.effects import build
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


def at_its_ends(effect: ModuleType) -> Iterator[Any]:
    """The effect as it is by default, and with each option at its lowest and at its highest."""
    yield effect.load(effect.Options(), RATE_HZ)
    for field in settings_of(effect.Options):
        spec = spec_of(field)
        for value in (spec.low, spec.high):
            yield effect.load(effect.Options(**{field.name: value}), RATE_HZ)


def named(effect: ModuleType, key: str, value: str) -> EffectSettings:
    """As it would be read from line 9 of a character file."""
    text = Text(value, f"tim.yaml:9:{40 + len(key)}", is_text=False, is_null=False)
    options = Table({key: text}, {key: "tim.yaml:9:38"}, "tim.yaml:9:37")
    return EffectSettings(effect.__name__.rpartition(".")[2], options)


def test_block_by_block_is_all_at_once(effect: ModuleType) -> None:
    voice = sound()
    cuts = np.sort(np.random.default_rng(2).integers(0, len(voice), 40))
    for whole, streamed in zip(at_its_ends(effect), at_its_ends(effect), strict=True):
        expected = whole.process(voice)
        blocks = [streamed.process(block) for block in np.split(voice, cuts)]
        assert [len(block) for block in blocks] == [len(block) for block in np.split(voice, cuts)]
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
        assert expected.dtype == np.float32


def test_it_changes_the_voice(effect: ModuleType) -> None:
    voice = sound()
    assert any(not np.allclose(one.process(voice), voice, atol=1e-3) for one in at_its_ends(effect))


def test_silence_stays_silence(effect: ModuleType) -> None:
    for one in at_its_ends(effect):
        assert not one.process(np.zeros(RATE_HZ, np.float32)).any()


def test_after_its_tail_it_is_silent(effect: ModuleType) -> None:
    for one in at_its_ends(effect):
        one.process(sound())
        after = one.process(np.zeros(one.tail_frames + RATE_HZ // 10, np.float32))
        assert np.abs(after[one.tail_frames :]).max() < 0.01


def test_the_delay_is_what_it_says(effect: ModuleType) -> None:
    """The middle of a burst is within 20 ms of where it is expected, which a room or a splice may need."""
    burst = np.concatenate([np.zeros(RATE_HZ, np.float32), sound() * 0.5, np.zeros(RATE_HZ, np.float32)])
    frames = np.arange(len(burst))
    usual, *others = at_its_ends(effect)
    for one in (usual, *(other for other in others if other.delay_frames)):
        assert 0 <= one.delay_frames <= one.tail_frames
        energy = one.process(burst) ** 2
        middle = float((frames * energy).sum() / energy.sum())
        assert abs(middle - 1.5 * RATE_HZ - one.delay_frames) < 0.02 * RATE_HZ


@pytest.mark.parametrize("tone_hz", [500, 1000, 3000])
def test_loudness_has_bounds(effect: ModuleType, tone_hz: int) -> None:
    tone = np.sin(2 * np.pi * tone_hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    for voice in (tone, sound()):
        changed = effect.load(effect.Options(), RATE_HZ).process(voice)
        assert 0.2 < np.sqrt(np.mean(changed**2)) / np.sqrt(np.mean(voice**2)) < 1.5


def test_no_sample_leaves_the_range(effect: ModuleType) -> None:
    low = np.sin(2 * np.pi * 50 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    for one in at_its_ends(effect):
        for voice in (sound(), low):
            changed = one.process(voice)
            assert np.isfinite(changed).all() and np.abs(changed).max() <= 1


def test_reset_forgets(effect: ModuleType) -> None:
    for used, fresh in zip(at_its_ends(effect), at_its_ends(effect), strict=True):
        used.process(sound(seed=3))
        used.reset()
        np.testing.assert_array_equal(used.process(sound()), fresh.process(sound()))


def test_mistaken_options_are_named_with_their_place(effect: ModuleType) -> None:
    for field in settings_of(effect.Options):
        key, unit = split_name(field.name)
        with pytest.raises(ConfigError, match=rf"tim.yaml:9:38: no key '{key}x' here.*did you mean {key}\?"):
            build(named(effect, f"{key}x", "1"), RATE_HZ)
        with pytest.raises(ConfigError, match=rf"tim.yaml:9:{40 + len(key)}: .* is out of range: from"):
            build(named(effect, key, f"5000000 {unit and show(1, unit).split()[1]}"), RATE_HZ)
        with pytest.raises(ConfigError, match=r"expected a (plain number|number with a unit)"):
            build(named(effect, key, "much"), RATE_HZ)


def test_an_option_is_read_in_its_unit(effect: ModuleType) -> None:
    for field in settings_of(effect.Options):
        key, unit = split_name(field.name)
        build(named(effect, key, show(spec_of(field).high or 0, unit)), RATE_HZ)
