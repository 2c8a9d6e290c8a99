"""A board's pace: lock-step in which every call of an engine takes as long as the board's cost table says.

The engines really run, on the machine at hand and as fast as it can; what the toy's clock shows is the board's time.
The clock moves from one event to the next, so two runs are alike to the bit. A board on which nothing costs anything
is lock-step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from epsilon.clock import ManualClock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.devices.wav import WavCard
from epsilon.emulation.contention import Call, Machine
from epsilon.emulation.costs import cost_of, cost_of_end
from epsilon.emulation.paced_engines import PACED, Bill, PacedEndOfTurn
from epsilon.emulation.strand import Strand, current
from epsilon.engines.protocols import EndOfTurn
from epsilon.messages import News
from epsilon.parts import load_engine, seat_of
from epsilon.stages.vad import Vad
from epsilon.toy import STAGES, Toy


@dataclass(slots=True)
class Running:
    """A call under way, and what of it is left to do."""

    call: Call
    strand: Strand
    left: float = 1.0


@dataclass
class Pace:
    """Where the calls of all engines pass: each takes its time from the clock, beside the others.

    Before the toy runs, while it is built, there is one call at a time.
    """

    board: Board
    clock: ManualClock
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(self.board.soc)
        self._running: list[Running] = []
        self._rates: list[float] = []

    def spend(self, call: Call) -> None:
        """Take as long as a call takes on the board; for the engines of a toy, in whichever thread they are."""
        if call.work_ms <= 0 and call.read_mb <= 0:
            return
        strand = current()
        if strand is None:
            self.clock.advance_to(self.clock.now() + self.machine.alone_ms(call) / 1000)
            return
        self._running.append(Running(call, strand))
        self._rates = []
        strand.pause()

    def load(self, board: Board, stage: str) -> Any:
        """The engine that `board` names for a stage; its calls cost what they cost on the board whose pace this is."""
        bill = Bill(cost_of(self.board, stage), seat_of(self.board, stage), self.spend)
        return PACED[stage](load_engine(board, stage), bill)

    def end_of_turn(self, found: EndOfTurn) -> PacedEndOfTurn:
        """The same for the engine that finds the end of a turn."""
        return PacedEndOfTurn(found, Bill(cost_of_end(self.board), seat_of(self.board, "vad"), self.spend))

    def advance(self, limit_s: float) -> list[Strand]:
        """Move the clock to the end of the next calls, or to `limit_s` if that is sooner; whose calls ended."""
        if not self._rates:
            self._rates = self.machine.rates([one.call for one in self._running])
        now_s = self.clock.now()
        ends_s = [
            now_s + one.left / rate / 1000 if rate > 0 else float("inf")
            for one, rate in zip(self._running, self._rates, strict=True)
        ]
        until_s = min([limit_s, *ends_s])
        for one, rate in zip(self._running, self._rates, strict=True):
            one.left -= rate * (until_s - now_s) * 1000
        self.clock.advance_to(until_s)
        over = [one for one, end_s in zip(self._running, ends_s, strict=True) if end_s <= until_s]
        if over:
            self._running = [one for one in self._running if one not in over]
            self._rates = []
        return [one.strand for one in over]


class PacedStep:
    """Moves the clock of a toy at a board's pace: a LockStep whose stages take time. The pace loaded its engines."""

    def __init__(self, toy: Toy, card: WavCard, pace: Pace) -> None:
        self._toy, self._card, self._pace = toy, card, pace
        vad = toy.stages[STAGES.index("vad")]
        assert isinstance(vad, Vad)
        vad.end_of_turn = pace.end_of_turn(vad.end_of_turn)
        self._capture, *self._others = [Strand(stage) for stage in toy.stages]
        self._blocks_due = 0
        self.frame = 0

    def pass_block(self) -> list[News]:
        """Let a block pass, and every stage work as far as it gets; what happened."""
        self.frame += self._card.block_frames
        block_s = self._card.time_of(self.frame)
        while over := self._pace.advance(block_s):
            for strand in over:
                strand.proceed()
            self._settle()
        self._blocks_due += 1
        self._settle()
        return list(self._toy.news())

    def close(self) -> None:
        """Leave every stage where it is."""
        for strand in [self._capture, *self._others]:
            strand.end()

    def _settle(self) -> None:
        """Every stage that is in no call works, in the order of the sound, until none has anything to do."""
        while self._blocks_due and not self._capture.calling:
            self._blocks_due -= 1
            self._capture.proceed()
        while _proceeded(self._others):
            pass


def _proceeded(strands: Sequence[Strand]) -> bool:
    """Each that can goes on, whoever was busy first; True when any did."""
    return sum(strand.proceed() for strand in strands if not strand.calling) > 0


def build(
    board: Board, character: Character, card: WavCard, clock: ManualClock, pace_of: Board | None = None
) -> tuple[Toy, PacedStep]:
    """The toy of a board, and what moves its time at the pace of that board or of another one."""
    pace = Pace(pace_of or board, clock)
    toy = Toy(board, character, card, clock, load=pace.load)
    return toy, PacedStep(toy, card, pace)
