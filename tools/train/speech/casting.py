"""Who says what: draws a voice and a way of speaking for every sentence; some voices only for evaluation."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import yaml

from tools.train.speech.voices import RATE_HZ, Espeak, Flite, Samples

CAST = Path(__file__).with_name("cast.yaml")
MAX_SAMPLES = int(9.2 * RATE_HZ)


class Cast:
    """Both synthesizers and the choice of a voice."""

    def __init__(self) -> None:
        self._flite, self._espeak = Flite(), Espeak()
        cast = yaml.safe_load(CAST.read_text())
        self._shares: dict[str, float] = cast["flite"]
        self._accents: list[str] = cast["accents"]
        self._variants: list[str] = cast["variants"]
        self._held_out: list[str] = cast["held_out"]
        self._question_words: list[str] = cast["question_words"]

    def say(self, sentence: str, rng: random.Random) -> tuple[str, Samples | None]:
        """The voice and the trimmed samples, None where the synthesizer gave nothing usable."""
        text = self._punctuate(sentence, rng)
        kind = rng.random()
        for voice, share in self._shares.items():
            if kind < share:
                return voice, trim(
                    self._flite.speak(text, voice, rng.uniform(0.82, 1.35), rng.uniform(0.8, 1.3))
                )
            kind -= share
        voice = rng.choice(self._accents) + (f"+{rng.choice(self._variants)}" if rng.random() < 0.93 else "")
        rate, pitch, spread = rng.uniform(120, 205), rng.uniform(25, 75), rng.uniform(25, 80)
        return voice, trim(self._espeak.speak(text, voice, rate, pitch, spread))

    def say_held_out(self, sentence: str, rng: random.Random) -> tuple[str, Samples | None]:
        """The same by a voice that nobody trains on, at its own pace and pitch."""
        voice = rng.choice(self._held_out)
        return voice, trim(self._espeak.speak(self._punctuate(sentence, rng), voice, 165, 50, 50))

    def _punctuate(self, sentence: str, rng: random.Random) -> str:
        """Punctuation changes the melody; a comma now and then gives pauses inside the sentence."""
        words = sentence.split()
        asks = words[0].split("'")[0] in self._question_words and rng.random() < 0.7
        if len(words) > 5 and rng.random() < 0.15:
            words[rng.randrange(2, len(words) - 2)] += ","
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
