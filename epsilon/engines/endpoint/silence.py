"""The end of a turn by silence: a short one after a finished thought, a long one after a word that wants another."""

from __future__ import annotations

import math

from epsilon.engines.endpoint.habits import Habits
from epsilon.engines.endpoint.words import wants_more
from epsilon.engines.protocols import Patience, Thought
from epsilon.realtime import Seat
from epsilon.ring import Samples

NEEDS_RUNTIME = False

SHORTEST = 0.5  # of the usual silence, after a thought that is surely finished
_PATIENCE_OF_ONE = 0.5  # a user whose pauses are twice as long gets this power of two more


class SilenceRule:
    """See epsilon.engines.protocols.EndOfTurn. It hears nothing but how long the silence is."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.habits = Habits()

    def reset(self) -> None: ...

    def push(self, samples: Samples, voiced: bool) -> None: ...

    def over(self, silence_ms: float, thought: Thought) -> float:
        """From 0 at the first sound of silence over one half at the silence that ends the turn."""
        return silence_ms / (silence_ms + self.wait_ms(silence_ms, thought))

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        usual_ms, longest_ms = self.patience
        if wants_more(thought):
            return longest_ms
        wait_ms = usual_ms * math.exp(_PATIENCE_OF_ONE * self.habits.slowness)
        if thought.finished is not None:
            wait_ms *= stretch(thought.finished, longest_ms / usual_ms)
        return min(longest_ms, max(SHORTEST * usual_ms, wait_ms))

    def went_on(self, silence_ms: float) -> None:
        self.habits.learn(silence_ms)


def stretch(finished: float, most: float) -> float:
    """How much longer than usual to wait: SHORTEST when surely finished, 1 at even chances, `most` when surely not."""
    if finished >= 0.5:
        return float(SHORTEST ** (2 * finished - 1))
    return float(max(1.0, most) ** (1 - 2 * finished))


def load(seat: Seat, patience: Patience) -> SilenceRule:
    """The rule; it needs no model."""
    return SilenceRule(patience)
