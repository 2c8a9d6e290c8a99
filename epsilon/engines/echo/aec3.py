"""WebRTC's AEC3: an adaptive filter that finds the delay by itself, and a suppressor for what the filter leaves."""

from __future__ import annotations

import numpy as np
from pywebrtc_audio import EchoCanceller

from epsilon.realtime import Seat
from epsilon.ring import Samples

RATE_HZ = 16_000
FRAME = 160  # what the engine takes at once
EARLIEST_MS = 6.0  # it finds no echo that comes together with its cause
LEEWAY_MS = 100.0  # an echo may come so much earlier than expected: clocks drift


class Aec3:
    """Cuts the blocks of a board to the engine's frames; what comes out is at most a frame late.

    An echo that seems to come before its cause (the card's own latency figure was too long) makes the microphone
    wait by as much; one that comes very late makes the reference wait.
    """

    def __init__(self) -> None:
        self._engine = EchoCanceller(sample_rate=RATE_HZ, num_channels=1)
        self._near = self._far = self._ready = _silence(0)
        self.expect(LEEWAY_MS)

    def expect(self, delay_ms: float) -> None:
        self._late_microphone = _silence(EARLIEST_MS - delay_ms)
        self._late_reference = _silence(delay_ms - LEEWAY_MS)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        near, self._late_microphone = _hold_back(self._late_microphone, microphone)
        far, self._late_reference = _hold_back(self._late_reference, reference)
        self._near, self._far = np.concatenate((self._near, near)), np.concatenate((self._far, far))
        whole = len(self._near) // FRAME * FRAME
        if whole:
            done = self._engine.process(self._near[:whole], self._far[:whole])
            self._ready = np.concatenate((self._ready, done))
            self._near, self._far = self._near[whole:], self._far[whole:]
        if len(self._ready) < len(microphone):  # once, where blocks are not whole frames
            self._ready = np.concatenate((np.zeros(FRAME, np.float32), self._ready))
        clean, self._ready = self._ready[: len(microphone)], self._ready[len(microphone) :]
        return clean


def _silence(duration_ms: float) -> Samples:
    return np.zeros(max(0, round(duration_ms * RATE_HZ / 1000)), np.float32)


def _hold_back(waiting: Samples, fresh: Samples) -> tuple[Samples, Samples]:
    """A block that is as long as the fresh one, and what waits behind it."""
    joined = np.concatenate((waiting, fresh))
    return joined[: len(fresh)], joined[len(fresh) :]


def load(seat: Seat) -> Aec3:
    """The canceller for a board that says `engine: aec3`."""
    return Aec3()
