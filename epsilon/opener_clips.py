"""Where a character's openers, small noises and lines lie as sound: characters/<name>/openers/, without effects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from epsilon.audio_files import read_audio, write_wav
from epsilon.config.character import Character
from epsilon.ring import Samples

SIGNS = {",": "comma", ".": "stop", "!": "bang", "?": "question", "…": "dots"}


def clip_path(character: Character, text: str) -> Path:
    """The file of an opener: `Oh, yes!` is oh-comma-yes-bang.wav."""
    spelled = "".join(
        f" {SIGNS.get(letter, letter)} " if letter in SIGNS else letter for letter in text.lower()
    )
    return character.path.parent / "openers" / f"{re.sub(r'[^a-z]+', '-', spelled).strip('-')}.wav"


def read_clips(character: Character, texts: Iterable[str]) -> dict[str, Samples]:
    """Those of some texts that are recorded, by the text: samples [n] at 16 kHz."""
    paths = {text: clip_path(character, text) for text in texts}
    return {text: read_audio(path) for text, path in paths.items() if path.is_file()}


def store_clip(character: Character, text: str, samples: Samples) -> None:
    """Put an opener where `read_clips` finds it."""
    path = clip_path(character, text)
    path.parent.mkdir(exist_ok=True)
    write_wav(path, samples)
