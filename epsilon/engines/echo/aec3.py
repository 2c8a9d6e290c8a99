"""WebRTC's AEC3: an adaptive filter that finds the delay by itself, and a suppressor for what the filter leaves."""

from __future__ import annotations

from pywebrtc_audio import EchoCanceller

from epsilon.engines.echo.frames import RATE_HZ, Frames
from epsilon.realtime import Seat
from epsilon.ring import Samples

FRAME = 160
EARLIEST_MS = 6.0  # it finds no echo that comes together with its cause
LEEWAY_MS = 100.0  # an echo may come so much earlier than expected: clocks drift


class Aec3:
    """Holds the user back by 8 ms; while both speak it lets little of the user through."""

    def __init__(self) -> None:
        self._frames = Frames(FRAME, EchoCanceller(sample_rate=RATE_HZ, num_channels=1).process)

    def expect(self, delay_ms: float) -> None:
        self._frames.shift(delay_ms, EARLIEST_MS, LEEWAY_MS)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        return self._frames.push(microphone, reference)


def load(seat: Seat) -> Aec3:
    """The canceller for a board that says `engine: aec3`."""
    return Aec3()
