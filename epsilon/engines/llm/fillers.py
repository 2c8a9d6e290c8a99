"""A small noise while an answer is late: chosen by what this board needs for a token, as measured at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from epsilon.ring import Samples


@dataclass(frozen=True)
class Speeds:
    """What this board takes, in seconds: to digest a token, to think one, and to make a voice's first sound."""

    prefill_s: float = 0.0
    token_s: float = 0.0
    voice_s: float = 0.0


class Fillers:
    """Says whether an answer will be late, and with what to fill the time; never the same twice in a row."""

    def __init__(self, clips: Mapping[str, Samples], speeds: Speeds, after_ms: float, words: int) -> None:
        self._clips, self._speeds, self._after_ms, self._words = list(clips.items()), speeds, after_ms, words
        self._next = 0

    def wait_ms(self, owed: int) -> float:
        """How long an answer will take to its first sound when so many tokens have to be digested first."""
        speeds = self._speeds
        return 1000 * (owed * speeds.prefill_s + self._words * speeds.token_s + speeds.voice_s)

    def choose(self, owed: int) -> tuple[str, Samples] | None:
        """A filler's words and its sound, samples [n] at 16 kHz; None when the answer will be there soon enough."""
        if not self._clips or self.wait_ms(owed) < self._after_ms:
            return None
        self._next = (self._next + 1) % len(self._clips)
        return self._clips[self._next]
