"""A phrase on its way through the speaker: how much of it is there, when it may start, which of its words left."""

from __future__ import annotations

from dataclasses import dataclass

from epsilon.engines.protocols import LONGEST_CHUNK_S, SAMPLE_RATE_HZ
from epsilon.messages import Sound
from epsilon.pace import Pace

LONGEST_CHUNK = round(LONGEST_CHUNK_S * SAMPLE_RATE_HZ)
LETTERS_PER_S = 12.0  # of a slow speaker: how long a phrase may be whose voice does not tell


@dataclass(slots=True)
class Spoken:
    """A phrase's place in the reply, in frames since the reply's first."""

    index: int
    text: str
    start: int
    recorded: bool = False  # an opener's stored sound
    arrived: int = 0  # frames of it that are here
    complete: bool = False  # all of its sound is
    told: bool = False  # whoever watches knows that it is being said: its first frames went to the card
    word_ends: tuple[int, ...] = ()  # frames of the phrase in which its words end, where the voice tells
    chunk: int = 0  # frames of the newest chunk
    came_s: float = 0.0  # the clock's time in seconds at which that came

    def add(self, item: Sound, now_s: float, pace: Pace) -> None:
        """Take a chunk in. From the second on its time tells the voice's speed; the first one waited for the mind."""
        frames = len(item.samples)
        if frames:
            if self.arrived and not self.recorded:
                pace.learn(frames, now_s - self.came_s)
            self.arrived += frames
            self.chunk, self.came_s = frames, now_s
        self.complete |= item.phrase_ends
        self.word_ends = self.word_ends or item.word_ends

    @property
    def frames(self) -> int:
        """How long the phrase is, or will be as far as that can be known before all of it is here."""
        if self.complete:
            return self.arrived
        told = self.word_ends[-1] if self.word_ends else len(self.text) / LETTERS_PER_S * SAMPLE_RATE_HZ
        return max(self.arrived, round(told))

    def ready_s(self, pace: Pace) -> float:
        """The clock's time in seconds from which on the phrase can sound without running dry.

        Its last chunk must be made before that is due, and the next one, which may be longer than those that are here,
        before these have sounded; as the voice goes on evenly, so are then all between.
        """
        if self.complete or self.recorded:
            return 0.0
        left = self.frames - self.arrived
        last_s = self.came_s + pace.making_s(left) - (self.frames - self.chunk) / SAMPLE_RATE_HZ
        next_s = self.came_s + pace.making_s(min(left, LONGEST_CHUNK)) - self.arrived / SAMPLE_RATE_HZ
        return max(last_s, next_s)

    def heard(self, left: int) -> str:
        """Its words in the first `left` frames of the reply: those of which at least half has left the card."""
        frames = left - self.start
        if self.complete and frames >= self.arrived:
            return self.text
        words = self.text.split()
        ends = self._ends(len(words))
        starts = (0, *ends)
        return " ".join(
            word
            for word, start, end in zip(words, starts, ends, strict=False)
            if frames > 0 and frames >= (start + end) / 2
        )

    def _ends(self, count: int) -> tuple[int, ...]:
        """Where each of its `count` words ends: as the voice told, else as if all were equally long."""
        if not self.word_ends:
            return tuple(self.frames * (place + 1) // count for place in range(count))
        return self.word_ends + self.word_ends[-1:] * (
            count - len(self.word_ends)
        )  # signs at the end are not said
