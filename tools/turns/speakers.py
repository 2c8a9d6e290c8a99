"""Who speaks a turn: one voice at one pace and pitch from its first word to its last."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.train.speech.casting import CAST
from tools.train.speech.voices import FLITE_PITCH_HZ
from tools.turns.timed import Spoken, TimedEspeak, TimedFestival, TimedFlite, resized
from tools.turns.worlds import World

OURS = Path(__file__).with_name("cast.yaml")
_SIZES, _WIDE_SIZES = (0.88, 1.35), (0.78, 1.42)
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
    """The speakers of one world."""

    def __init__(self, world: World) -> None:
        cast, ours = (yaml.safe_load(path.read_text()) for path in (CAST, OURS))
        self._flite, self._espeak = TimedFlite(), TimedEspeak()
        self._festival: TimedFestival | None = None
        self._cast, self.world = cast, world
        self._shares: dict[str, float] = {} if world is World.HELD_OUT else ours[world.value]
        kept = set(ours["development_variants"])
        self._variants = [v for v in cast["variants"] if (v in kept) == (world is World.DEVELOPMENT)]
        self._of_festival = {*cast["festival"], *(v for v in cast["held_out"] if v.endswith("_diphone"))}

    def draw(self, rng: random.Random, slow: bool) -> Speaker:
        """A speaker; a `slow` one mostly is a child. Those trained on are of more sizes, paces and heights."""
        wide, size = self.world is World.TRAINING, 1.0
        if slow:
            size = rng.uniform(*_CHILD_SIZE)
        elif rng.random() < (0.7 if wide else 0.3):
            size = rng.uniform(*(_WIDE_SIZES if wide else _SIZES))
        stretch = rng.uniform(0.85, 1.25) * (rng.uniform(*_SLOW) if slow else 1.0)
        voice = self._draw_voice(rng)
        if "en-" in voice:
            pitch, spread = ((5, 95), (20, 95)) if wide else ((20, 85), (35, 80))
            return Speaker(voice, stretch, rng.uniform(*pitch), rng.uniform(*spread), size)
        return Speaker(voice, stretch, rng.uniform(*((0.75, 1.35) if wide else (0.85, 1.2))), 0.0, size)

    def _draw_voice(self, rng: random.Random) -> str:
        if self.world is World.HELD_OUT:
            return str(rng.choice(self._cast["held_out"]))
        share = rng.random()
        for voice, of_all in self._shares.items():
            if share < of_all:
                return voice
            share -= of_all
        return f"{rng.choice(self._cast['accents'])}+{rng.choice(self._variants)}"

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
