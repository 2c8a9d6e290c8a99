"""Lock-step: a toy whose time is moved by hand, a block of its card after the other."""

from __future__ import annotations

from epsilon.clock import ManualClock
from epsilon.devices.wav import WavCard
from epsilon.messages import News
from epsilon.toy import Toy


class LockStep:
    """Moves the clock of a toy on a wav card; `frame` counts 16 kHz frames since its start."""

    def __init__(self, toy: Toy, card: WavCard, clock: ManualClock) -> None:
        self._toy, self._card, self._clock = toy, card, clock
        self.frame = 0

    def pass_block(self) -> list[News]:
        """Let a block pass and every stage work; what happened."""
        self.frame += self._card.block_frames
        self._clock.advance_to(self._card.time_of(self.frame))
        self._toy.step()
        return list(self._toy.news())
