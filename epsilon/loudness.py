"""How loud this user usually is, so that a far-away voice is not taken for an interruption."""

from __future__ import annotations

import numpy as np

from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.ring import Samples

FAR_DB = 12.0  # below the user's usual level: a television across the room, somebody next door
FAINT_DB = 18.0  # below it: not even the hiss that a word may begin with
WARY_FRAMES = 30 * SAMPLE_RATE_HZ  # after a faint beginning that came to nothing none is trusted
HALF_LIFE_WINDOWS = 60  # of speech, about two seconds
QUIETEST = 1e-4


class Loudness:
    """An exponential mean of the level of the user's speech, in dB of full scale."""

    def __init__(self) -> None:
        self._usual_db: float | None = None
        self._wary_until = 0

    def learn(self, window: Samples) -> None:
        """Take a window [n] in which the user spoke."""
        level = level_db(window)
        usual = level if self._usual_db is None else self._usual_db
        self._usual_db = usual + (level - usual) * (1 - 0.5 ** (1 / HALF_LIFE_WINDOWS))

    def is_far(self, window: Samples) -> bool:
        """True when a window [n] is much fainter than this user's speech; not before the user was heard."""
        return self._is_below(window, FAR_DB)

    def is_far_beginning(self, window: Samples, now_at: int) -> bool:
        """The same of a first window: words begin faintly, but for a while after a mistake that counts for nothing."""
        return self._is_below(window, FAR_DB if now_at < self._wary_until else FAINT_DB)

    def mistook(self, now_at: int) -> None:
        """What seemed to begin at the frame `now_at` was nothing."""
        self._wary_until = now_at + WARY_FRAMES

    def _is_below(self, window: Samples, margin_db: float) -> bool:
        return self._usual_db is not None and level_db(window) < self._usual_db - margin_db


def level_db(window: Samples) -> float:
    """Root mean square of samples [n] in dB of full scale."""
    return 20 * float(np.log10(max(float(np.sqrt(np.mean(window**2))), QUIETEST)))
