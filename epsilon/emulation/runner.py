"""Plays recordings into a toy and follows the conversation to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from epsilon.clock import Clock, ManualClock, MonotonicClock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.devices.wav import WavCard
from epsilon.emulation.conversation import NOT_MEASURED, Meter, Outcome, account, outcome, turns_of
from epsilon.emulation.course import Course
from epsilon.emulation.lockstep import LockStep
from epsilon.emulation.paced import Pace, PacedStep
from epsilon.emulation.trace import Trace
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.screen import Screen
from epsilon.takes.checks import BOARD, LOCKSTEP
from epsilon.takes.folder import Take
from epsilon.takes.recording import Recording, keeping
from epsilon.toy import Toy, running

RATE_HZ = 16_000

Show = Callable[[News], None]


class Emulation:
    """A toy on a wav card. A recording begins when the answer to the one before it has ended.

    With `take`, the conversation is kept there, to be played again by `epsilon replay`. With `traced`, `trace` says
    where the time went, and `taken` what happened. In lock-step with `pace_of` every stage takes as long as it would
    on that board.
    """

    def __init__(
        self,
        board: Board,
        character: Character,
        recordings: Sequence[Samples],
        pace: str,
        take: Path | None = None,
        traced: bool = False,
        pace_of: Board | None = None,
    ) -> None:
        self.pace = pace
        self._clock: Clock = ManualClock() if pace == LOCKSTEP else MonotonicClock()
        first, *waiting = recordings
        self.card = WavCard(board.audio, self._clock, first)
        self._meter = Meter()
        self._take = Recording(take, self._clock) if take is not None or traced else None
        self._pace = self._paced(pace_of)
        load = self._pace.load if self._pace else None
        self.toy = Toy(
            board, character, self.card, self._take.clock if self._take else self._clock, load=load
        )
        if self._take is not None:
            self._take.attach(self.toy, BOARD if self._pace else pace)
        self.trace = self._traced() if traced else None
        self._course = Course(self.card, self._clock, waiting)

    def _paced(self, pace_of: Board | None) -> Pace | None:
        """In lock-step the stages take no time, or that of a board."""
        return Pace(pace_of, self._clock) if pace_of and isinstance(self._clock, ManualClock) else None

    def _traced(self) -> Trace:
        return Trace(self.toy, now=self._clock.now) if self._pace else Trace(self.toy)

    @property
    def taken(self) -> Take | None:
        """The conversation, after `run`, where it was kept or traced."""
        return None if self._take is None else self._take.taken

    def run(
        self, show: Show, ready: Callable[[], object] = lambda: None, screen: Screen | None = None
    ) -> Outcome:
        """Follow the conversation to its end; `show` is given every piece of news, `ready` called once it listens.

        A screen is drawn also while there are none.
        """
        with keeping(self._take):
            if self.pace == LOCKSTEP:
                self._run_lockstep(show, ready, screen)
            else:
                self._run_realtime(show, ready, screen)
        process = NOT_MEASURED if self.pace == LOCKSTEP else self._meter.read()
        toy = self.toy
        turns = turns_of(toy.journal, toy.character.name)
        return outcome(self.card, account(toy.board, toy.character, self.pace, turns, toy.counts, process))

    def _run_lockstep(self, show: Show, ready: Callable[[], object], screen: Screen | None) -> None:
        assert isinstance(self._clock, ManualClock)
        self.card.start()
        ready()
        paced = PacedStep(self.toy, self.card, self._pace) if self._pace else None
        time = paced or LockStep(self.toy, self.card, self._clock)
        try:
            while not self._course.ended():
                for news in time.pass_block():
                    self._follow(news, show)
                if screen is not None:
                    screen.draw()
        finally:
            if paced is not None:
                paced.close()

    def _run_realtime(self, show: Show, ready: Callable[[], object], screen: Screen | None) -> None:
        with running(self.toy):
            ready()
            while not self._course.ended():
                due_s = self._course.wake_s() - self._clock.now()
                for news in self.toy.watch(screen.wait_s(due_s) if screen is not None else due_s):
                    self._follow(news, show)
                if screen is not None:
                    screen.draw()

    def _follow(self, news: News, show: Show) -> None:
        self._course.follow(news)
        if self._take is not None:
            self._take.flush()
        show(news)
