"""Blocks of any length to hops of one length and back: what is done a hop at a time cannot depend on the blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples

Spectrum = npt.NDArray[np.complex64]


class Hops:
    """As many frames come out as go in, `frames` later: until the first hop is full there is silence."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._waiting = np.zeros(0, np.float32)  # input that is not yet a hop
        self._ready = np.zeros(frames, np.float32)  # output for which nobody has asked

    def process(self, block: Samples, change: Callable[[Samples], Samples]) -> Samples:
        """A block [n] of the same length; `change` is given every full hop [frames] and returns as many."""
        waiting = np.concatenate([self._waiting, block])
        full = len(waiting) - len(waiting) % self.frames
        changed = [change(waiting[at : at + self.frames]) for at in range(0, full, self.frames)]
        self._waiting = waiting[full:]
        ready = np.concatenate([self._ready, *changed])
        self._ready = ready[len(block) :]
        return ready[: len(block)]


class Spectra:
    """Changes the spectrum of overlapping frames (short-time Fourier transform, Allen & Rabiner 1977).

    A frame is two hops; the root of a Hann window is put on before the transform and again after it, so that
    frames which are not changed add up to what went in. It all comes out `delay_frames` later, and the last of it
    `tail_frames` after the end.
    """

    def __init__(self, hop_frames: int) -> None:
        self.hop_frames = hop_frames
        self._hops = Hops(hop_frames)
        self.delay_frames, self.tail_frames = 2 * hop_frames, 3 * hop_frames
        self.size = 1 << (2 * hop_frames - 1).bit_length()  # of the transform
        place = np.arange(2 * hop_frames) + 0.5
        self._window = np.sin(np.pi * place / (2 * hop_frames)).astype(np.float32)
        self._frame = np.zeros(2 * hop_frames, np.float32)
        self._half = np.zeros(hop_frames, np.float32)  # the second half of the frame before

    def process(self, block: Samples, change: Callable[[Spectrum], Spectrum]) -> Samples:
        """A block [n] of the same length; `change` is given every spectrum [size / 2 + 1] and returns another."""
        return self._hops.process(block, lambda hop: self._next(hop, change))

    def _next(self, hop: Samples, change: Callable[[Spectrum], Spectrum]) -> Samples:
        self._frame = np.concatenate([self._frame[len(hop) :], hop])
        spectrum: Spectrum = np.fft.rfft(self._frame * self._window, self.size).astype(np.complex64)
        changed = np.fft.irfft(change(spectrum), self.size)[: len(self._frame)].astype(np.float32)
        frame: Samples = changed * self._window
        out = self._half + frame[: len(hop)]
        self._half = frame[len(hop) :]
        return out
