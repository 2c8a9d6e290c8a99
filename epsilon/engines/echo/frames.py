"""Blocks of a board, cut to the frames of a canceller and shifted to where it can find the echo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from epsilon.ring import Samples

RATE_HZ = 16_000


class Frames:
    """Gives frame after frame of microphone and reference to `cancel`; where blocks are not whole frames what comes
    out is a frame late."""

    def __init__(self, frame: int, cancel: Callable[[Samples, Samples], Samples]) -> None:
        self._frame, self._cancel = frame, cancel
        self._near = self._far = self._ready = self._early_near = self._early_far = silence(0)

    def shift(self, delay_ms: float, earliest_ms: float, latest_ms: float) -> None:
        """Bring an echo of this delay between two: a late one makes the reference wait, an early one the microphone.

        An echo seems to come before its cause where the card's own latency figure is too long.
        """
        self._early_near = silence(frames_of(earliest_ms - delay_ms))
        self._early_far = silence(frames_of(delay_ms - latest_ms))

    def push(self, microphone: Samples, reference: Samples) -> Samples:
        """The microphone's next block [n], cancelled."""
        near, self._early_near = _hold_back(self._early_near, microphone)
        far, self._early_far = _hold_back(self._early_far, reference)
        self._near, self._far = np.concatenate((self._near, near)), np.concatenate((self._far, far))
        done = [self._ready]
        whole = len(self._near) // self._frame * self._frame
        for at in range(0, whole, self._frame):
            done.append(self._cancel(self._near[at : at + self._frame], self._far[at : at + self._frame]))
        self._near, self._far = self._near[whole:], self._far[whole:]
        ready = np.concatenate(done)
        if len(ready) < len(microphone):  # once
            ready = np.concatenate((silence(self._frame), ready))
        self._ready = ready[len(microphone) :]
        return ready[: len(microphone)]


def silence(frames: int) -> Samples:
    """Nothing, [n]; none at all for a negative number."""
    return np.zeros(max(0, frames), np.float32)


def frames_of(duration_ms: float) -> int:
    """A duration in frames of the toy."""
    return round(duration_ms * RATE_HZ / 1000)


def _hold_back(waiting: Samples, fresh: Samples) -> tuple[Samples, Samples]:
    """A block that is as long as the fresh one, and what waits behind it."""
    joined = np.concatenate((waiting, fresh))
    return joined[: len(fresh)], joined[len(fresh) :]
