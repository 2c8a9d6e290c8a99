"""What only shows when files meet: does the character's voice exist on the board, are its effects valid?"""

from __future__ import annotations

import importlib
import zipfile

import numpy as np

from epsilon.config import folders
from epsilon.config.board import Board
from epsilon.config.character import Character, EffectSettings
from epsilon.config.document import Listing, Problems
from epsilon.config.models import find_model
from epsilon.errors import ConfigError, ModelError, nearest

STYLES_FILE = "voices.npz"  # the style vectors by name, in the folder of every voice model
SAMPLE_RATE_HZ = 16_000


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
    problems.raise_if_any()


def styles_of(voice: str) -> list[str]:
    """The names of a voice model's styles. ModelError when its file of styles is damaged."""
    path = find_model(voice).folder / STYLES_FILE
    try:
        with np.load(path, allow_pickle=False) as styles:
            return sorted(styles.files)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"cannot read the styles: {error}", folders.shown(path)) from error


def _check_effect(effect: EffectSettings, where: str, problems: Problems) -> None:
    known = folders.loadable_names("effects")
    if effect.name not in known:
        problems.add(f"no effect '{effect.name}'{nearest(effect.name, known)}", where)
        return
    try:
        importlib.import_module(f"epsilon.effects.{effect.name}").load(effect.options, SAMPLE_RATE_HZ)
    except ConfigError as mistake:
        problems.add(f"effect '{effect.name}': {mistake.message}", where, mistake.hint)


def _place_of_effect(character: Character, index: int) -> str:
    effects = character.where.items.get("effects")
    return effects.items[index].where if isinstance(effects, Listing) else character.where.where
