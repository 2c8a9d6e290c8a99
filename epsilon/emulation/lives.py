"""A toy and whoever starts it again when it has died: what systemd does on a board, in lock-step time.

A life ends with what a stage raises. Then its line for trouble is said, as the real toy does it, and after the time
that a start takes there is another toy on the same card, with the same state on its disk. A stage that hangs is killed
when the watchdog has heard nothing for so long; then the next life is red at once, and the line is the first it says.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from epsilon.clock import ManualClock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.devices.lasting import LastingCard
from epsilon.devices.wav import WavCard
from epsilon.emulation.faults import Fault, Hanging, OnPurpose
from epsilon.emulation.plug import Plug
from epsilon.emulation.shown import ShownBody
from epsilon.errors import EpsilonError
from epsilon.hardware import Switches
from epsilon.hardware.light import Sign
from epsilon.hardware.senses import Senses
from epsilon.journal import Journal
from epsilon.last_words import trouble_line
from epsilon.messages import Announcement, News
from epsilon.parts import load_engine
from epsilon.ring import Samples
from epsilon.stages.playback import FADE_MS
from epsilon.state import State
from epsilon.toy import STAGES, Toy
from epsilon.turn import Mark

RESTART_S = 0.2  # RestartSec of the unit
START_S = 1.5  # a start on the host takes 1.0 to 1.2 s; `python -m tools.bench.start` measures it
WAKE_S = 0.7  # of it, until the light can be red: nothing is loaded by then but this program
RATE_HZ = 16_000
DEADLY = (OnPurpose, EpsilonError, MemoryError)
NOBODY = Mark(-1, 0)

log = logging.getLogger(__name__)


class Lives:
    """The toy of the moment; `frame` counts 16 kHz frames since the first one's start."""

    def __init__(
        self,
        board: Board,
        character: Character,
        card: WavCard,
        clock: ManualClock,
        faults: Sequence[Fault] = (),
        folder: Path | None = None,
    ) -> None:
        self._board, self._character, self._wav, self._clock = board, character, card, clock
        self.faults, self.switches, self.body = faults, Switches(), ShownBody()
        for fault in faults:
            folder = fault.folder(folder) if folder is not None else None
        self.state = State.open(folder)
        self.frame = self.deaths = 0
        self.toy: Toy | None = None
        self.past: list[
            tuple[Journal, int]
        ] = []  # of the lives that are over, and the frame at which each began
        self._line = trouble_line(character)
        self._saying: Samples = self._line[:0]  # what of it is still to be said
        self._born_s = 0.0  # when the next life begins
        self._cut_off = False  # the last one was killed, and its line has not been said
        self._killed_s = 0.0  # when that will be
        self._red = False  # the life that begins has shown it
        card.start()
        self._news = self._be_born()

    def pass_block(self) -> list[News]:
        """Let a block pass; what happened, with positions on the time line of the card."""
        self.frame += self._wav.block_frames
        now_s = self._wav.time_of(self.frame)
        self._clock.advance_to(now_s)
        news, self._news = self._news, []
        if self.toy is None:
            return news + self._wait(now_s)
        for fault in self.faults:
            fault.follow(self.toy, now_s)
        try:
            self.toy.step()
            if self.state.changed:
                self.state.save()
        except Hanging as reason:
            return news + self._die(self.toy, str(reason), now_s + self._board.budget.stuck_ms / 1000)
        except DEADLY as reason:
            return news + self._die(self.toy, str(reason))
        finally:
            for fault in self.faults:
                fault.rest()
        return news + self._told(self.toy)

    @property
    def journals(self) -> list[tuple[Journal, int]]:
        """Of all lives, and the frame of the card at which each began."""
        return [*self.past, (self.toy.journal, self._plug.first)] if self.toy is not None else self.past

    def close(self) -> None:
        """Mend everything."""
        for fault in self.faults:
            if self.toy is not None:
                fault.follow(self.toy, float("inf"))

    def _be_born(self) -> list[News]:
        """A life begins, unless what it needs is broken."""
        now_s = self._clock.now()
        try:
            plug = partial(Plug, self._wav, self._clock, self._is_plugged)
            self._plug = plug()
            card = LastingCard(self._spoilt(self._plug), lambda: self._spoilt(plug()), self._clock)
            feeling: Any = Senses(None, ())
            for fault in self.faults:
                feeling = fault.feeling(feeling, self._clock)
            self.toy = Toy(
                self._board, self._character, card, self._clock, None, self.switches, self.state, self.body, feeling,
                self._load,
            )  # fmt: skip
            self.toy.card.start()
            self.frame = self._wav.reference.written  # being born may take time
        except DEADLY as reason:
            self.toy, self._born_s = None, now_s + RESTART_S + START_S
            self.body.fail()
            said = (("not born", str(reason)), ("light", Sign.TROUBLE.name.lower()))
            return [News(NOBODY, what, now_s, text, at=self.frame) for what, text in said]
        if self._cut_off:
            self._cut_off = False
            vad = self.toy.stages[STAGES.index("vad")]
            vad.inbox().put(Announcement(self.toy.turn.now, self._character.lines.trouble, self._line))
        return [News(NOBODY, "born", now_s, at=self.frame)]

    def _spoilt(self, plug: Plug) -> Any:
        card: Any = plug
        for fault in self.faults:
            card = fault.card(card, self._clock)
        return card

    def _is_plugged(self, now_s: float) -> bool:
        return all(fault.plugged(now_s) for fault in self.faults)

    def _load(self, board: Board, stage: str) -> Any:
        engine = load_engine(board, stage)
        for fault in self.faults:
            engine = fault.engine(stage, engine, self._clock)
        return engine

    def _die(self, toy: Toy, why: str, killed_s: float = 0.0) -> list[News]:
        """Its stored line for trouble is said, unless it hangs and will be killed."""
        now_s = self._clock.now()
        told = self._told(toy)
        log.warning("the toy died: %s", why)
        self.past.append((toy.journal, self._plug.first))
        self.deaths += 1
        self.toy, self._cut_off, self._killed_s, self._red = None, killed_s > 0, killed_s, False
        if self._cut_off:
            self._born_s = killed_s + RESTART_S + START_S
            return [*told, News(NOBODY, "hangs", now_s, why, at=self.frame)]
        self.body.fail()
        self._wav.cut(FADE_MS)
        self._say(now_s + RESTART_S + START_S)
        return [*told, News(NOBODY, "died", now_s, why, at=self.frame)]

    def _say(self, then_s: float) -> None:
        """Begin the line for trouble; the next life begins when it is over and `then_s` later."""
        self._saying = self._line
        self._born_s = then_s + len(self._line) / RATE_HZ

    def _wait(self, now_s: float) -> list[News]:
        """Nobody listens; what is to be said for the dead is said."""
        self._wav.read()
        told = []
        if self._cut_off and self._killed_s and now_s >= self._killed_s:
            self._killed_s = 0.0
            told.append(News(NOBODY, "killed", now_s, at=self.frame))
        if self._cut_off and not self._red and now_s >= self._born_s - START_S + WAKE_S:
            self._red = True
            self.body.fail()
            told.append(News(NOBODY, "light", now_s, Sign.TROUBLE.name.lower(), at=self.frame))
        if taken := min(self._wav.room(), len(self._saying)):
            at = self._wav.write(self._saying[:taken])
            if len(self._saying) == len(self._line):
                told.append(News(NOBODY, "trouble", now_s, self._character.lines.trouble, at=at))
            self._saying = self._saying[taken:]
        return told + self._be_born() if now_s >= self._born_s else told

    def _told(self, toy: Toy) -> list[News]:
        first = self._plug.first
        return [replace(news, at=news.at + first) if news.at >= 0 else news for news in toy.news()]
