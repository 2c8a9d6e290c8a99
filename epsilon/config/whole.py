"""What only shows when files meet: does the character's voice exist on the board, are its effects valid?"""

from __future__ import annotations

import importlib

from epsilon.config import folders
from epsilon.config.board import Board
from epsilon.config.character import Character, EffectSettings
from epsilon.config.document import Listing, Problems, Table
from epsilon.config.models import find_model
from epsilon.effects import read_options
from epsilon.errors import nearest

PITCH_HINT = "leave it at 0 and use the effect pitch instead"


def check_pair(board: Board, character: Character) -> None:
    """ConfigError lists every effect and style that the character names and this board has not."""
    problems = Problems()
    for index, effect in enumerate(character.effects):
        _check_effect(effect, _place_of_effect(character, index), problems)
    voice = board.stages["tts"].model
    if voice is not None:
        style, styles = character.voice.style, styles_of(voice)
        if style not in styles:
            where = character.where.place("voice", "style")
            problems.add(f"model '{voice}' has no style '{style}'{nearest(style, styles)}", where)
        _check_pitch(character, voice, problems)
    problems.raise_if_any()


def styles_of(voice: str) -> list[str]:
    """The names of a voice model's styles. ModelError when its file of styles is damaged."""
    model = find_model(voice)
    names: list[str] = importlib.import_module(f"epsilon.engines.tts.{model.engine}").style_names(
        model.folder
    )
    return sorted(names)


def _check_pitch(character: Character, voice: str, problems: Problems) -> None:
    """Some voices cannot be told to speak higher or lower."""
    if folders.takes_pitch(find_model(voice).engine):
        return
    asked: dict[tuple[str, ...], float] = {("voice", "pitch"): character.voice.pitch}
    for name, mood in character.voice.moods.items():
        asked |= {("voice", "moods", name, "pitch"): mood.pitch}
    for keys, semitones in asked.items():
        if semitones:
            problems.add(f"model '{voice}' has no pitch", character.where.place(*keys), PITCH_HINT)


def _check_effect(effect: EffectSettings, where: str, problems: Problems) -> None:
    known = folders.loadable_names("effects")
    if effect.name not in known:
        problems.add(f"no effect '{effect.name}'{nearest(effect.name, known)}", where)
        return
    read_options(effect, problems)


def _place_of_effect(character: Character, index: int) -> str:
    effects = character.where.items.get("effects")
    effect = effects.items[index] if isinstance(effects, Listing) else character.where
    return effect.place("name") if isinstance(effect, Table) else effect.where
