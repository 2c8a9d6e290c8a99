"""Recordings played, in lock-step, into a toy in which something goes wrong on purpose."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from epsilon.clock import ManualClock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.devices.wav import WavCard
from epsilon.emulation.conversation import NOT_MEASURED, RATE_HZ, Outcome, account, outcome, turns_of
from epsilon.emulation.course import Course
from epsilon.emulation.faults import Fault
from epsilon.emulation.lives import Lives
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.screen import Screen
from epsilon.takes.checks import LOCKSTEP


class BrokenEmulation:
    """See epsilon.emulation.runner.Emulation. What the toy remembers lies in a folder that goes with it."""

    def __init__(
        self, board: Board, character: Character, recordings: Sequence[Samples], faults: Sequence[Fault]
    ) -> None:
        first, *waiting = recordings
        self._board, self._character = board, character
        self._clock = ManualClock()
        self.card = WavCard(board.audio, self._clock, first)
        self._course = Course(self.card, self._clock, waiting)
        self._disk = tempfile.TemporaryDirectory()
        folder = Path(self._disk.name) / "state"
        self.lives = Lives(board, character, self.card, self._clock, faults, folder)

    def run(self, screen: Screen, ready: Callable[[], object]) -> Outcome:
        """Follow the conversation to its end, through as many lives as it takes."""
        try:
            while not self._course.ended():
                for news in self.lives.pass_block():
                    self._take(news, screen, ready)
                screen.draw()
        finally:
            self.lives.close()
            self._disk.cleanup()
        return outcome(self.card, self._account())

    def _take(self, news: News, screen: Screen, ready: Callable[[], object]) -> None:
        self._course.follow(news)
        if news.what == "born" and self.lives.toy is not None:
            screen.follow(self.lives.toy)
            ready()
        screen.show(news)

    def _account(self) -> dict[str, Any]:
        """As of one toy, over all lives."""
        turns = [
            _later(turn, first / RATE_HZ)
            for journal, first in self.lives.journals
            for turn in turns_of(journal, self._character.name)
        ]
        toy = self.lives.toy
        counts = toy.counts if toy is not None else {}
        known = account(self._board, self._character, LOCKSTEP, turns, counts, NOT_MEASURED)
        return known | {"deaths": self.lives.deaths}


def _later(turn: dict[str, Any], by_s: float) -> dict[str, Any]:
    """Its times, counted from the first life's start."""

    def moved(one: dict[str, Any]) -> dict[str, Any]:
        times = {name: round(one[name] + by_s, 4) for name in ("start_s", "end_s") if one[name] is not None}
        return one | times

    return turn | {"user": moved(turn["user"]), "replies": [moved(reply) for reply in turn["replies"]]}
