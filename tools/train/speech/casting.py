"""Who says what: draws a voice and a way of speaking for every sentence; some voices only for evaluation."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import soxr
import yaml

from tools.train.speech.festival import Festival
from tools.train.speech.voices import RATE_HZ, Espeak, Flite, Samples

CAST = Path(__file__).with_name("cast.yaml")
MAX_SAMPLES = int(9.2 * RATE_HZ)
_PLAIN_PACE, _PLAIN_WORDS_PER_MINUTE, _PLAIN_PITCH = 1.0, 165, 50


class Cast:
    """The synthesizers and the choice of a voice."""

    def __init__(self) -> None:
        self._flite, self._espeak = Flite(), Espeak()
        self._festival: Festival | None = None
        cast = yaml.safe_load(CAST.read_text())
        self._shares: dict[str, float] = cast["flite"] | cast["festival"]
        self._of_festival = {*cast["festival"], *(v for v in cast["held_out"] if v.endswith("_diphone"))}
        self._accents: list[str] = cast["accents"]
        self._variants: list[str] = cast["variants"]
        self._held_out: list[str] = cast["held_out"]
        self._sizes: list[tuple[float, float, float]] = cast["sizes"]
        self._child: tuple[float, float] = cast["child"]
        self._question_words: list[str] = cast["question_words"]

    def say(self, sentence: str, rng: random.Random) -> tuple[str, Samples | None]:
        """The voice and the trimmed samples, None where the synthesizer gave nothing usable."""
        text, size = self._punctuate(sentence, rng), self._draw_size(rng)
        return self._speak(text, self._draw_voice(rng), size, rng)

    def say_held_out(self, sentence: str, rng: random.Random) -> tuple[str, Samples | None]:
        """The same by a voice that nobody trains on, at its own pace and pitch."""
        voice, text = rng.choice(self._held_out), self._punctuate(sentence, rng)
        if voice in self._of_festival:
            return voice, trim(self._by_festival(text, voice, _PLAIN_PACE, 1.0))
        words_per_minute, pitch = _PLAIN_WORDS_PER_MINUTE, _PLAIN_PITCH
        return voice, trim(self._espeak.speak(text, voice, words_per_minute, pitch, pitch))

    def say_as_child(self, sentence: str, rng: random.Random) -> tuple[str, Samples | None]:
        """By a voice shifted up to a child's size; every second time it is one that nobody trains on."""
        held_out = rng.random() < 0.5
        voice = rng.choice(self._held_out) if held_out else self._draw_voice(rng)
        return self._speak(self._punctuate(sentence, rng), voice, rng.uniform(*self._child), rng)

    def _draw_voice(self, rng: random.Random) -> str:
        kind = rng.random()
        for voice, share in self._shares.items():
            if kind < share:
                return voice
            kind -= share
        return rng.choice(self._accents) + (f"+{rng.choice(self._variants)}" if rng.random() < 0.93 else "")

    def _draw_size(self, rng: random.Random) -> float:
        kind = rng.random()
        for share, low, high in self._sizes:
            if kind < share:
                return rng.uniform(low, high)
            kind -= share
        return 1.0

    def _speak(self, text: str, voice: str, size: float, rng: random.Random) -> tuple[str, Samples | None]:
        """Speaks slower by `size`, then plays it faster by as much: a smaller throat at the same pace."""
        if "en-" not in voice:
            stretch, pitch = rng.uniform(0.82, 1.35) * size, rng.uniform(0.8, 1.3)
            by_festival = voice in self._of_festival
            speak = self._by_festival if by_festival else self._flite.speak
            samples = speak(text, voice, stretch, pitch)
        else:
            rate, pitch, spread = rng.uniform(115, 215) / size, rng.uniform(15, 90), rng.uniform(25, 80)
            samples = self._espeak.speak(text, voice, max(80.0, rate), pitch, spread)
        if size != 1.0:
            samples = np.asarray(soxr.resample(samples, RATE_HZ * size, RATE_HZ), np.int16)
        return voice, trim(samples)

    def _by_festival(self, text: str, voice: str, stretch: float, pitch: float) -> Samples:
        if self._festival is None:
            self._festival = Festival()
        return self._festival.speak(text, voice, stretch, pitch)

    def _punctuate(self, sentence: str, rng: random.Random) -> str:
        """Punctuation changes the melody; a comma now and then gives pauses inside the sentence."""
        words = sentence.split()
        asks = words[0].split("'")[0] in self._question_words and rng.random() < 0.7
        if len(words) > 5 and rng.random() < 0.15:
            place = rng.randrange(2, len(words) - 2)
            words[place] = words[place].rstrip(",") + ","
        return " ".join(words) + ("?" if asks else "." if rng.random() < 0.8 else "!")


def trim(samples: Samples) -> Samples | None:
    """Cuts silence down to 50 ms before and 75 ms after; None for what is empty or too long for the model."""
    if samples.size == 0:
        return None
    level = np.abs(samples.astype(np.float32))
    loud = np.flatnonzero(level > max(60.0, float(level.max()) * 0.01))
    if loud.size < 1600:
        return None
    cut = samples[max(0, int(loud[0]) - 800) : int(loud[-1]) + 1200]
    return cut if cut.size <= MAX_SAMPLES else None
