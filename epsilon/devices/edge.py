"""The end of what a card holds, faded out for the case that nothing follows in time: running dry never clicks."""

from __future__ import annotations

import numpy as np

from epsilon.dsp.fade import fade_in, fade_out
from epsilon.ring import Samples

EDGE_MS = 5.0


def after_silence(samples: Samples, rate_hz: int) -> Samples:
    """Samples [n] that follow a dry spell: their first EDGE_MS fade in."""
    count = round(EDGE_MS * rate_hz / 1000)
    return np.concatenate((fade_in(samples[:count]), samples[count:]))


class Edge:
    """Remembers the last EDGE_MS of a sound as they were made, while the card holds them faded."""

    def __init__(self, rate_hz: int) -> None:
        self._frames = round(EDGE_MS * rate_hz / 1000)
        self.clear()

    def clear(self) -> None:
        """Nothing on the card is faded."""
        self.made: Samples = np.zeros(0, np.float32)

    def __len__(self) -> int:
        """How many of the card's last frames are faded."""
        return len(self.made)

    def extend(self, samples: Samples) -> tuple[Samples, Samples]:
        """Samples [n] follow: what the frames that are faded now should become, and what is written after them."""
        whole, before = np.concatenate((self.made, samples)), len(self.made)
        kept = max(0, len(whole) - self._frames)
        self.made = whole[kept:]
        on_card = np.concatenate((whole[:kept], fade_out(self.made)))
        return on_card[:before], on_card[before:]
