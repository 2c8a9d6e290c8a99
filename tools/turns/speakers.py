"""Who speaks a turn: one voice at one pace and pitch from its first word to its last."""

from __future__ import annotations

import random
from dataclasses import dataclass

import yaml

from tools.train.speech.casting import CAST
from tools.train.speech.voices import FLITE_PITCH_HZ
from tools.turns.timed import Spoken, TimedEspeak, TimedFestival, TimedFlite, resized

_CHILD_SIZE = (1.2, 1.45)
_SLOW = (1.15, 1.4)


@dataclass(frozen=True)
class Speaker:
    """A voice as it speaks throughout a turn; `pitch` and `spread` in the synthesizer's own measure."""

    voice: str
    stretch: float
    pitch: float
    spread: float
    size: float


class Troupe:
    """The speakers of one of two worlds that share no voice: `held_out` or training."""

    def __init__(self, held_out: bool) -> None:
        cast = yaml.safe_load(CAST.read_text())
        self._flite, self._espeak = TimedFlite(), TimedEspeak()
        self._festival: TimedFestival | None = None
        self._cast, self.held_out = cast, held_out
        self._of_festival = {*cast["festival"], *(v for v in cast["held_out"] if v.endswith("_diphone"))}

    def draw(self, rng: random.Random, slow: bool) -> Speaker:
        """A speaker; a `slow` one mostly is a child."""
        size = 1.0
        if slow:
            size = rng.uniform(*_CHILD_SIZE)
        elif rng.random() < 0.3:
            size = rng.uniform(0.88, 1.35)
        stretch = rng.uniform(0.85, 1.25) * (rng.uniform(*_SLOW) if slow else 1.0)
        voice = rng.choice(self._cast["held_out"]) if self.held_out else self._draw_voice(rng)
        if "en-" in voice:
            return Speaker(voice, stretch, rng.uniform(20, 85), rng.uniform(35, 80), size)
        return Speaker(voice, stretch, rng.uniform(0.85, 1.2), 0.0, size)

    def _draw_voice(self, rng: random.Random) -> str:
        share = rng.random()
        for voice, of_all in (self._cast["flite"] | self._cast["festival"]).items():
            if share < of_all:
                return voice
            share -= of_all
        return f"{rng.choice(self._cast['accents'])}+{rng.choice(self._cast['variants'])}"

    def say(self, text: str, who: Speaker) -> Spoken:
        """A text with its punctuation. The size changes throat and pitch, not the pace."""
        stretch = who.stretch * who.size
        if "en-" in who.voice:
            words_per_minute = max(80.0, 165 / stretch)
            spoken = self._espeak.say(text, who.voice, words_per_minute, who.pitch, who.spread)
        elif who.voice in self._of_festival:
            self._festival = self._festival or TimedFestival()
            spoken = self._festival.say(text, who.voice, stretch, who.pitch)
        else:
            pitch_hz = FLITE_PITCH_HZ[who.voice] * who.pitch
            spoken = self._flite.say(text, who.voice, stretch, pitch_hz)
        return spoken if who.size == 1.0 else resized(spoken, who.size)
