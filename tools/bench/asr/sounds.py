"""The sounds of the measurements: speech of the voice that ships, and noise where words are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.organs import Voice
from epsilon.ring import Samples
from tools.bench.asr import RATE_HZ, SECONDS

SENTENCES = Path(__file__).parents[2] / "evaluate" / "voice_sentences.txt"
LOUDNESS = 0.05


def spoken(board: Board, character: Character, count: int) -> list[Samples]:
    """`count` sentences, alone or two in one breath, those nearest to four seconds first."""
    sentences = SENTENCES.read_text(encoding="utf-8").splitlines()
    voice = Voice(board, character)
    alone = [voice.say(sentence) for sentence in sentences[: 4 * count]]
    both = [np.concatenate(pair) for pair in zip(alone[::2], alone[1::2], strict=False)]
    return sorted([*alone, *both], key=lambda sound: abs(len(sound) / RATE_HZ - SECONDS))[:count]


def noise(seconds: float) -> Samples:
    """Samples [n] of white noise."""
    made = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ)) * LOUDNESS
    return made.astype(np.float32)


def exactly(sound: Samples, seconds: float) -> Samples:
    """A sound cut to this length, or said again until it is that long."""
    return np.resize(sound, round(seconds * RATE_HZ))


def kept(folder: Path, name: str, sound: Samples) -> Path:
    """The sound as a file that workers read."""
    path = folder / f"{name}.npy"
    np.save(path, sound)
    return path
