"""unplugged: the sound card goes, and comes back: a microphone or a plug that has come loose."""

from __future__ import annotations

from epsilon.emulation.faults import Fault
from epsilon.emulation.faults import When as Options

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """No sound comes from it nor goes to it."""

    def plugged(self, now_s: float) -> bool:
        return not self.is_on(now_s)
