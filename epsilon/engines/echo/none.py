"""No echo cancellation: for headsets and files. With an open speaker vad listens only between replies."""

from __future__ import annotations

from epsilon.realtime import Seat
from epsilon.ring import Samples


class NoCancellation:
    """Passes the microphone on as it is."""

    def expect(self, delay_ms: float) -> None:
        """There is nothing to look for."""

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        return microphone


def load(seat: Seat) -> NoCancellation:
    """The canceller for a board that says `engine: none`."""
    return NoCancellation()
