"""muted: somebody moves the mute switch, and back, whatever is being said."""

from __future__ import annotations

from epsilon.emulation.faults import Fault
from epsilon.emulation.faults import When as Options
from epsilon.toy import Toy

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """The switch is on while the fault is."""

    def follow(self, toy: Toy, now_s: float) -> None:
        if toy.switches.muted is not self.is_on(now_s):
            toy.switches.mute(self.is_on(now_s))
