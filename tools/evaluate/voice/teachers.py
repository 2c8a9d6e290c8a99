"""The teacher reads: flite's sound of a text, with the symbols and durations it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from epsilon.errors import ModelError, nearest
from epsilon.ring import Samples
from tools.evaluate.voice import HOP_SAMPLES, RATE_HZ
from tools.train.voice.corpus import spell
from tools.train.voice.flite import VOICES, Teacher

TEACHERS_FRAME = 2  # of flite's frames of 5 ms make one of ours


@dataclass(frozen=True)
class Reading:
    """What the teacher made of a text."""

    samples: Samples  # at 16 kHz
    symbols: list[str]
    durations_ms: list[float]
    f0_hz: npt.NDArray[np.float32]  # of every 10 ms as flite meant it, 0 where unvoiced


class Reads:
    """A teacher by its name among flite's voices."""

    def __init__(self, name: str) -> None:
        if name not in VOICES:
            raise ModelError(f"no teacher '{name}'{nearest(name, VOICES)}")
        self.name, self._teacher = name, Teacher(name)
        self._plain: dict[str, Samples] = {}

    def plain(self, text: str) -> Samples:
        """The text as the teacher reads it by itself: the same samples each time, though flite's noise runs on."""
        if text not in self._plain:
            self._plain[text] = self.read(text).samples
        return self._plain[text]

    def read(self, text: str, speed: float = 1.0, semitones: float = 0.0) -> Reading:
        """The text `speed` times as fast and so much higher than the teacher reads by itself."""
        said = self._teacher.say(text, 1 / speed, 2 ** (semitones / 12))
        tokens, frames, _ = spell(said.phones, (len(said.f0_hz) - 1) // TEACHERS_FRAME)
        samples = said.samples.astype(np.float32) / np.float32(32768)
        hop_ms = 1000 * HOP_SAMPLES / RATE_HZ
        return Reading(samples, tokens, [hop_ms * count for count in frames], said.f0_hz[::TEACHERS_FRAME])


def teachers_of(folder: Path) -> dict[str, str]:
    """The teacher's name behind each style, from the model's page; empty for a voice that had none of ours."""
    page = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    return {style: str(name) for style, name in (page.get("teachers") or {}).items()}
