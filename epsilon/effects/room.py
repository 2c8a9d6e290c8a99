"""Room: the voice in a small resonant space, a tin or a cupboard.

Four feedback combs of Schroeder 1962 with Moorer's damping (1979), side by side; no allpasses, because a
toy's shell rings rather than diffuses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsilon.config.fields import setting
from epsilon.ring import Samples

RATIOS = (1.0, 1.17, 1.31, 1.49)  # of the combs' delays: whole-number relations would sound like a tone


@dataclass(frozen=True)
class Options:
    """What a character file may set."""

    size_ms: float = setting("from wall to wall", 20.0, low=5, high=60)
    ring_ms: float = setting("until the sound has died away by 60 dB", 200.0, low=20, high=1000)
    damping: float = setting("how much sooner the highs die away", 0.4, low=0, high=0.9)
    mix: float = setting("how much of what is heard comes from the walls", 0.25, low=0, high=1)


class Comb:
    """y[n] = x[n] + gain * (a mix of y[n - delay] and y[n - delay - 1]): the mix takes the highs away."""

    def __init__(self, delay_frames: int, gain: float, damping: float) -> None:
        self._gain, self._damping = np.float32(gain), np.float32(damping / 2)
        self._past: Samples = np.zeros(delay_frames + 1, np.float32)  # of the output, oldest first

    def process(self, block: Samples) -> Samples:
        """A block [at most delay_frames] of the same length."""
        count = len(block)
        old, older = self._past[1 : 1 + count], self._past[:count]
        echo = old + self._damping * (older - old)
        out = (block + self._gain * echo).astype(np.float32)
        self._past = np.concatenate([self._past[count:], out])
        return out


class Room:
    """`mix` of the voice comes back from the walls, `size_ms` apart, and dies away by 60 dB in `ring_ms`."""

    delay_frames = 0

    def __init__(self, options: Options, sample_rate_hz: int) -> None:
        self._delays = [max(1, round(options.size_ms * ratio * sample_rate_hz / 1000)) for ratio in RATIOS]
        self._gains = [
            10 ** (-3 * 1000 / (sample_rate_hz * options.ring_ms) * delay) for delay in self._delays
        ]
        self._damping = options.damping
        # A comb makes noise louder by 1 / sqrt(1 - gain²); the four add up like noise.
        level = np.mean([np.sqrt(1 - gain**2) for gain in self._gains]) / np.sqrt(len(RATIOS))
        # What comes out is as loud as what went in: the voice, which the combs let through too, and the echoes.
        voice = 1 - options.mix + options.mix * level * len(RATIOS)
        echoes = options.mix * level * np.sqrt(sum(gain**2 / (1 - gain**2) for gain in self._gains))
        loudness = np.hypot(voice, echoes)
        self._dry = np.float32((1 - options.mix) / loudness)
        self._wet = np.float32(options.mix * level / loudness)
        self.tail_frames = round(options.ring_ms * sample_rate_hz / 1000)
        self.reset()

    def reset(self) -> None:
        """Silence the room."""
        pairs = zip(self._delays, self._gains, strict=True)
        self._combs = [Comb(delay, gain, self._damping) for delay, gain in pairs]

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        piece_frames = min(self._delays)
        pieces = [self._piece(block[at : at + piece_frames]) for at in range(0, len(block), piece_frames)]
        return np.concatenate(pieces) if pieces else block

    def _piece(self, block: Samples) -> Samples:
        wet = self._combs[0].process(block)
        for comb in self._combs[1:]:
            wet = wet + comb.process(block)
        mixed = self._dry * block + self._wet * wet
        return np.clip(mixed, -1, 1).astype(np.float32)


def load(options: Options, sample_rate_hz: int) -> Room:
    """The effect with a character's options."""
    return Room(options, sample_rate_hz)
