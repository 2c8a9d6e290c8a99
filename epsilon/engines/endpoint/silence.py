"""The end of a turn by silence: a short one after a finished thought, a long one after a word that wants another."""

from __future__ import annotations

from epsilon.engines.protocols import Patience, Thought
from epsilon.realtime import Seat
from epsilon.ring import Samples

NEEDS_RUNTIME = False


class SilenceRule:
    """See epsilon.engines.protocols.EndOfTurn."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience

    def reset(self) -> None: ...

    def push(self, samples: Samples, voiced: bool) -> None: ...

    def over(self, silence_ms: float, thought: Thought) -> float:
        return float(silence_ms >= self.patience.usual_ms)

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        return self.patience.usual_ms

    def went_on(self, silence_ms: float) -> None: ...


def load(seat: Seat, patience: Patience) -> SilenceRule:
    """The rule; it needs no model."""
    return SilenceRule(patience)
