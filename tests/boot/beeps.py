"""A voice that beeps, a letter at a time, for machines too slow for any other: copied into a test's image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Chunk, Delivery, Spelt
from epsilon.realtime import Seat
from epsilon.runtimes import Runtime

NEEDS_RUNTIME = False
TONE_HZ = 700.0
LETTER_FRAMES = SAMPLE_RATE_HZ // 16
STYLES = ("bram", "odette")


class Beeps:
    """See epsilon.engines.protocols.Synthesizer."""

    styles: Mapping[str, npt.NDArray[np.float32]] = {name: np.zeros(1, np.float32) for name in STYLES}

    def spell(self, text: str, more: bool) -> Spelt:
        """Its letters; a space ends a word."""
        words = text.split()
        letters = [(letter, place) for place, word in enumerate(words) for letter in word]
        return Spelt(tuple(letter for letter, _ in letters), tuple(place for _, place in letters))

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """A beep for each."""
        times = np.arange(LETTER_FRAMES) / SAMPLE_RATE_HZ
        beep = (0.3 * np.sin(2 * np.pi * TONE_HZ * times) * np.hanning(LETTER_FRAMES)).astype(np.float32)
        ends = tuple(LETTER_FRAMES * (place + 1) for place in range(len(symbols)))
        for place in range(len(symbols)):
            yield Chunk(beep, SAMPLE_RATE_HZ, () if place else ends)


def style_names(folder: Path) -> list[str]:
    """Whoever may speak by it."""
    return list(STYLES)


def load(model: Model, runtime: Runtime, seat: Seat) -> Beeps:
    """The same voice for every board."""
    return Beeps()
