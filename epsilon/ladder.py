"""How the toy is, from what it feels, and what follows from that. Pure: readings in, standing out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from epsilon.config.machine import Ladder as Rule
from epsilon.hardware.senses import Readings

BACK_PERCENT = 5.0  # so much above its limit a battery is well again: its reading wavers
SURE = 2  # readings in a row, before the toy turns itself off or calls itself hot: one may be wrong


class Rung(IntEnum):
    """How much strength is left."""

    WELL = 0
    LOW = 1
    CRITICAL = 2


@dataclass(frozen=True)
class Standing:
    """Where the toy stands: a battery may be low and the chip hot."""

    rung: Rung = Rung.WELL
    hot: bool = False

    @property
    def name(self) -> str:
        """The worst of it in one word: well, low, critical or hot."""
        if self.hot and self.rung < Rung.CRITICAL:
            return "hot"
        return self.rung.name.lower()

    @property
    def measures(self) -> Measures:
        """What is done about it."""
        spared = self.rung > Rung.WELL
        return Measures(
            brightness=0.35 if spared else 1.0,
            length=0.5 if spared else 0.75 if self.hot else 1.0,
            smaller=self.hot,
            off=self.rung is Rung.CRITICAL,
        )


@dataclass(frozen=True)
class Measures:
    """What the toy does differently."""

    brightness: float = 1.0  # of its light
    length: float = 1.0  # of its answers
    smaller: bool = False  # it runs what the board's `ladder.smaller` says
    off: bool = False  # it says goodbye and turns off


class Ladder:
    """Up and down by readings. Each way has a limit of its own, so that nothing flickers between two rungs.

    A toy that is being charged is well, however empty it is. What cannot be read changes nothing.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.standing = Standing()
        self._worse = self._hotter = 0  # readings in a row that say so

    def take(self, readings: Readings) -> Standing:
        """Where the toy stands after one more reading."""
        self.standing = Standing(self._strength(readings), self._heat(readings))
        return self.standing

    def _strength(self, readings: Readings) -> Rung:
        before, percent, rule = self.standing.rung, readings.percent, self._rule
        if percent is None:
            return before
        if readings.charging:
            self._worse = 0
            return Rung.WELL
        self._worse = self._worse + 1 if percent <= rule.critical_battery_percent else 0
        if self._worse >= SURE:
            return Rung.CRITICAL
        if before is Rung.CRITICAL and percent <= rule.critical_battery_percent + BACK_PERCENT:
            return before
        if percent <= rule.low_battery_percent + (BACK_PERCENT if before > Rung.WELL else 0):
            return Rung.LOW
        return Rung.WELL

    def _heat(self, readings: Readings) -> bool:
        celsius, rule = readings.celsius, self._rule
        if celsius is None:
            return self.standing.hot
        self._hotter = self._hotter + 1 if celsius >= rule.hot_c else 0
        if self.standing.hot:
            return celsius > rule.cool_c
        return self._hotter >= SURE
