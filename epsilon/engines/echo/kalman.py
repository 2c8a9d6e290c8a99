"""A partitioned Kalman filter in the frequency domain, and a suppressor that knows how far to trust it.

After Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones"
(Signal Processing 86, 2006), in partitions as in Kuech, Mabande and Enzner (ICASSP 2014). The filter carries the
uncertainty of each of its weights, and what it may have left of the echo follows from that: before it has learnt the
room nothing of the toy passes, and then the user passes while both speak.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.engines.echo.frames import Frames, silence
from epsilon.realtime import Seat
from epsilon.ring import Samples

Real = npt.NDArray[np.floating[Any]]  # float32, which numpy types lose on the way
Complex = npt.NDArray[np.complex64]

FRAME = 160
FRAME_MS = 10.0
SIZE = 2 * FRAME
BINS = FRAME + 1
PARTITIONS = 20  # 200 ms of room
BEFORE = 4  # partitions before the expected delay: clocks drift
AFTERWARDS = 2 * PARTITIONS  # frames in which the last of the toy's sound dies away
STAYS = 0.995  # of a weight from frame to frame; the rest is how much a room may change
PRIOR = 3.0  # expected power of the echo path, over all partitions, before anything is known
PRIOR_FALLS = 0.85  # from a partition to the next
SMOOTH = 0.8  # of the near end's spectrum
LATE = 0.8  # of the echo behind the filter's end, a frame later
UNMODELLED = 0.2  # of the echo that no linear filter gets: a speaker's distortion, a clock's drift
OVER = 3.0  # what may be left is taken for so much more
DIRECTED = 0.8  # share of the past in what the suppressor thinks of the user's level
QUIETEST = 0.002  # gain
FAINTEST = np.float32(1e-6)  # power in a bin: no microphone is so quiet
ALWAYS_POSSIBLE = 0.01  # of the prior: a microphone that was off while the toy spoke is heard again
NOTHING = np.float32(1e-10)


class Kalman:
    """Holds the user back by 10 ms."""

    def __init__(self) -> None:
        self._frames = Frames(FRAME, self._cancel)
        self._spectra: Complex = np.zeros(
            (PARTITIONS, BINS), np.complex64
        )  # of the reference, the newest first
        self._weights: Complex = np.zeros((PARTITIONS, BINS), np.complex64)
        falls = PRIOR_FALLS ** np.abs(np.arange(PARTITIONS) - BEFORE)
        prior: Real = np.repeat(PRIOR * falls[:, None] / falls.sum(), BINS, axis=1).astype(np.float32)
        self._doubt, self._least_doubt = prior, ALWAYS_POSSIBLE * prior
        self._near_power: Real = np.full(BINS, FAINTEST, np.float32)
        self._late: Real = np.zeros(BINS, np.float32)
        self._user: Real = np.zeros(BINS, np.float32)  # power of what was let through
        self._quiet_frames = PARTITIONS  # since the toy last spoke
        self._window: Samples = np.sqrt(np.hanning(SIZE + 1)[:SIZE]).astype(np.float32)
        self._played = self._before = self._after = silence(FRAME)

    def expect(self, delay_ms: float) -> None:
        self._frames.shift(delay_ms, 0.0, BEFORE * FRAME_MS)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        return self._frames.push(microphone, reference)

    def _cancel(self, near: Samples, far: Samples) -> Samples:
        """One frame: predict, compare, learn, suppress. Where the toy has long been silent it costs nothing."""
        self._quiet_frames = 0 if np.any(far) else self._quiet_frames + 1
        if self._quiet_frames > AFTERWARDS:
            self._played, self._user = far, np.zeros(BINS, np.float32)
            return self._pass(near, np.concatenate((self._before, near)) * self._window)
        self._spectra[1:] = self._spectra[:-1]
        self._spectra[0] = np.fft.rfft(np.concatenate((self._played, far)))
        self._played = far
        predicted = np.fft.irfft(np.sum(self._spectra * self._weights, axis=0))[FRAME:].astype(np.float32)
        error = near - predicted
        powers = _power(self._spectra)
        unsure: Real = 0.5 * np.sum(powers * self._doubt, axis=0)
        self._learn(error, powers, unsure)
        return self._suppress(error, predicted, unsure)

    def _learn(self, error: Samples, powers: Real, unsure: Real) -> None:
        """Each weight moves as far as it is unsure, and is surer afterwards."""
        spectrum = _second_half(error)
        self._near_power += (1 - SMOOTH) * (_power(spectrum) - self._near_power)
        step = self._doubt / (unsure + self._near_power + FAINTEST)
        change = np.fft.irfft(step * np.conj(self._spectra) * spectrum, axis=1)
        change[:, FRAME:] = 0.0
        self._weights += np.fft.rfft(change, axis=1)
        surer = self._doubt * (1 - 0.5 * step * powers)
        self._doubt = STAYS**2 * surer + (1 - STAYS**2) * (_power(self._weights) + self._least_doubt)

    def _suppress(self, error: Samples, predicted: Samples, unsure: Real) -> Samples:
        """Wiener's gain, by what may be left of the echo; the user's level is guessed as Ephraim and Malah do."""
        self._late = np.maximum(LATE * self._late, _power(_second_half(predicted)))
        left = OVER * (unsure + UNMODELLED * self._late) + NOTHING
        spectrum = np.fft.rfft(np.concatenate((self._before, error)) * self._window).astype(np.complex64)
        power = _power(spectrum)
        ratio = DIRECTED * self._user / left + (1 - DIRECTED) * np.maximum(power / left - 1, 0)
        gain = np.maximum(ratio / (1 + ratio), QUIETEST)
        self._user = gain * gain * power
        return self._pass(error, np.fft.irfft(spectrum * gain).astype(np.float32))

    def _pass(self, error: Samples, windowed: Samples) -> Samples:
        """The frame that is complete now; the second half of this one waits for the next."""
        made = windowed * self._window
        clean = self._after + made[:FRAME]
        self._before, self._after = error, made[FRAME:]
        return clean


def _second_half(frame: Samples) -> Complex:
    """The spectrum [bins] of a frame behind silence."""
    return np.fft.rfft(np.concatenate((silence(FRAME), frame))).astype(np.complex64)


def _power(spectrum: Complex) -> Real:
    return spectrum.real**2 + spectrum.imag**2


def load(seat: Seat) -> Kalman:
    """The canceller for a board that says `engine: kalman`."""
    return Kalman()
