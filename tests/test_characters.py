"""Every character that ships: its file loads, it is somebody of its own, its lines can be spoken."""

from __future__ import annotations

import pytest

from epsilon.config.character import load_character
from epsilon.config.folders import character_names

CHARACTERS = character_names()


def test_two_characters_of_opposite_temper_ship() -> None:
    loaded = [load_character(name) for name in CHARACTERS]
    assert len(loaded) >= 2
    assert len({character.temper for character in loaded}) == len(loaded)
    assert len({character.voice.style for character in loaded}) == len(loaded)


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_character_knows_who_it_is(name: str) -> None:
    character = load_character(name)
    assert character.name == name
    assert name.casefold() in character.persona.casefold()
    assert character.beliefs and character.habits and character.openers


@pytest.mark.parametrize("name", CHARACTERS)
def test_its_lines_can_be_spoken(name: str) -> None:
    from epsilon.engines.tts import phonemes

    lines = load_character(name).lines
    for text in (lines.trouble, lines.low_battery, lines.goodbye, lines.hot):
        assert phonemes.convert(text)


@pytest.mark.parametrize("name", CHARACTERS)
def test_what_its_body_has_to_say_is_recorded(name: str) -> None:
    from epsilon.opener_clips import read_clips

    character = load_character(name)
    lines = character.lines
    texts = {lines.low_battery, lines.goodbye, lines.hot}
    clips = read_clips(character, texts)
    assert set(clips) == texts, "`make lines` records them"
    assert all(16_000 < len(samples) < 80_000 for samples in clips.values())


@pytest.mark.parametrize("name", CHARACTERS)
def test_its_openers_and_small_noises_are_recorded_and_short(name: str) -> None:
    from epsilon.opener_clips import read_clips

    character = load_character(name)
    small = character.attention
    texts = {*character.openers, *small.fillers, *small.murmurs}
    clips = read_clips(character, texts)
    assert set(clips) == texts, "`make lines` records them"
    assert all(0 < len(samples) <= 32_000 for samples in clips.values())
