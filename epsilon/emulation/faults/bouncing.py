"""bouncing: the talk button's contact opens and closes many times instead of once."""

from __future__ import annotations

from dataclasses import dataclass

from epsilon.config.fields import setting
from epsilon.emulation.faults import Fault, When
from epsilon.toy import Toy


@dataclass(frozen=True)
class Options(When):
    """How long."""

    for_ms: float = setting("how long it lasts", 200.0, low=0, high=60_000)


class Broken(Fault):
    """With every block of sound it is the other way round; afterwards it is up."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._bounced = False

    def follow(self, toy: Toy, now_s: float) -> None:
        if self.is_on(now_s):
            self._bounced = True
            toy.switches.press(not toy.switches.pressed)
        elif self._bounced:
            self._bounced = False
            toy.switches.press(False)
