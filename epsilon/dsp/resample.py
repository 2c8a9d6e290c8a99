"""Sample-rate conversion: a whole recording at once, or a stream with about a millisecond of delay."""

from math import ceil, gcd

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from epsilon.ring import Samples

ZERO_CROSSINGS = 16
"""Half width of the streaming filter, in samples of the lower of the two rates: 1 ms at 16 kHz."""

KAISER_BETA = 8.0
"""About 80 dB of stop band."""

PASS_BAND = 0.90
"""Where the filter is 6 dB down, as a share of the lower rate's Nyquist frequency."""


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The whole of `samples` (n,) at another rate, by soxr (best quality, no delay to care about)."""
    if from_hz == to_hz:
        return samples
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), dtype=np.float32)


class StreamResampler:
    """Converts a stream block by block; what comes out in pieces is what would come out at once.

    A polyphase windowed-sinc filter (Kaiser). soxr's own stream holds back 37 ms, too much between a user and
    an answer; this one holds back `delay_s`, 16 samples of the lower rate.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._filters = _polyphase(self._up, self._down)
        self._half = self._filters.shape[1] // 2
        self.delay_s = self._half / from_hz
        self.reset()

    def reset(self) -> None:
        """Forgets what it heard, as if just made."""
        self._history = np.zeros(self._half - 1, np.float32)
        self._first = 0  # input frame number that the next output frame's window starts at, less the history
        self._made = 0

    def push(self, samples: Samples) -> Samples:
        """Takes the next samples (n,) and returns what they complete at the other rate."""
        heard = np.concatenate((self._history, samples))
        windows_ready = max(0, len(heard) - 2 * self._half + 1)
        end = ceil((self._first + windows_ready) * self._up / self._down)
        numbers = np.arange(self._made, max(end, self._made), dtype=np.int64)
        at, phase = np.divmod(numbers * self._down, self._up)
        made = np.zeros(0, np.float32)
        if len(numbers):
            windows = sliding_window_view(heard, 2 * self._half)[at - self._first]
            made = (windows * self._filters[phase]).sum(axis=1, dtype=np.float32)
        self._made += len(numbers)
        self._history = heard[windows_ready:].copy()
        self._first += windows_ready
        return made

    def finish(self) -> Samples:
        """What is still held back, as if silence followed; then it starts anew."""
        tail = self.push(np.zeros(self._half, np.float32))
        self.reset()
        return tail


def _polyphase(up: int, down: int) -> Samples:
    """The filters, (up, 2 * half): row p weighs the samples around an output p/up after a sample."""
    wider = max(1.0, down / up)
    half = ceil(ZERO_CROSSINGS * wider)
    cutoff = PASS_BAND / wider
    offsets = np.arange(-half + 1, half + 1)[None, :] - np.arange(up)[:, None] / up
    inside = np.clip(1.0 - (offsets / half) ** 2, 0.0, 1.0)
    window = np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    filters = cutoff * np.sinc(cutoff * offsets) * window
    filters /= filters.sum(axis=1, keepdims=True)  # so that a constant stays that constant in every phase
    return filters.astype(np.float32)
