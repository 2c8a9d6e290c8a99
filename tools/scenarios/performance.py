"""One scenario, played to a whole toy in lock-step: its steps in order, by the time of the samples."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from epsilon.clock import ManualClock
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.devices.wav import WavCard
from epsilon.emulation.faults import build
from epsilon.emulation.lives import Lives
from epsilon.emulation.lockstep import LockStep
from epsilon.journal import TurnRecord
from epsilon.messages import News
from epsilon.organs import Voice
from epsilon.ring import Samples
from epsilon.stages.llm import Llm
from epsilon.state import VOLUME, State
from epsilon.toy import STAGES, Toy
from epsilon.volume import LOUDEST
from tools.echo_path import EchoCard, Room
from tools.scenarios import EVENTS, REACTIONS, TELEVISION, Scenario, Step
from tools.sounds import at_peak, make

RATE_HZ = 16_000
AUDIBLE = 0.02  # of the loudest sample: where a sound begins and ends
ECHO = Room(level_db=-6.0, delay_ms=30.0)
SETTLE_FRAMES = RATE_HZ // 5  # before the first step
TELEVISION_LINES = (
    ("bright", "And now the weather for the whole country, with rain in the north."),
    ("middle", "Prices rose again this week, and many people stayed at home."),
)


class Failed(AssertionError):
    """A scenario did not go as it should; the text has the time line."""


@dataclass(frozen=True)
class Event:
    """A piece of news at the frame it is about, or came at."""

    what: str
    at: int
    text: str


class Performance:
    """A toy, its user and what happened so far; positions are frames at 16 kHz."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        board = load_board("host")
        board = replace(board, turn=replace(board.turn, listen=scenario.listen))
        clock, nothing = ManualClock(), np.zeros(0, np.float32)
        echo = EchoCard(board.audio, clock, nothing, ECHO) if scenario.echo else None
        self.card: WavCard = echo or WavCard(board.audio, clock, nothing)
        character = load_character(scenario.character)
        self.disk = tempfile.TemporaryDirectory()
        self.time: Lives | LockStep
        if scenario.faults:
            faults = [build(table) for table in scenario.faults]
            self.time = Lives(board, character, self.card, clock, faults, Path(self.disk.name) / "state")
        else:
            self._only = Toy(board, character, self.card, clock)
            self.time = LockStep(self._only, self.card, clock)
            self.card.start()
        self.begun_at = self.ended_at = 0
        self.events: list[Event] = []
        self.met = 0  # events before this one have been met or passed over

    @property
    def toy(self) -> Toy:
        """Who is talked to now. Failed when nobody is."""
        if isinstance(self.time, LockStep):
            return self._only
        if self.time.toy is None:
            self.fail("the toy is dead")
        assert self.time.toy is not None
        return self.time.toy

    @property
    def frame(self) -> int:
        """Now."""
        return self.time.frame

    def play(self) -> None:
        """All steps, then the totals. Failed says what was wanted and what happened."""
        try:
            self.pass_time(SETTLE_FRAMES)
            for number, step in enumerate(self.scenario.steps, 1):
                self.do(step, number)
            self.check()
        finally:
            if isinstance(self.time, Lives):
                self.time.close()
            self.disk.cleanup()

    def do(self, step: Step, number: int) -> None:
        """One step."""
        if step.say is not None:
            self.sound(at_peak(spoken(step.voice, step.say), step.level_db))
        elif step.sound == TELEVISION:
            self.sound(at_peak(television(step.lasting_ms), step.level_db))
        elif step.sound is not None:
            self.sound(make(step.sound, step.lasting_ms / 1000, step.level_db, seed=number))
        elif step.hand is not None:
            self.hand(step.hand)
        elif step.expect is not None:
            self.expect(step, number)
        elif step.absent is not None:
            self.refuse(step, number)
        self.pass_time(round(step.pause_ms * RATE_HZ / 1000))

    def pass_time(self, frames: int) -> None:
        """Let so much audio pass, in whole blocks."""
        end = self.frame + frames
        while self.frame < end:
            self.events += [self._event(news) for news in self.time.pass_block()]

    def sound(self, samples: Samples) -> None:
        """Somebody makes a sound, samples [n]; what happens from its start on is new."""
        self.card.play(samples)
        loud = np.flatnonzero(np.abs(samples) > AUDIBLE * np.abs(samples).max())
        self.begun_at, self.ended_at = self.frame + int(loud[0]), self.frame + int(loud[-1])
        self.met = len(self.events)
        self.pass_time(len(samples))

    def hand(self, what: str) -> None:
        switches = self.toy.switches
        if what in ("press", "release"):
            switches.press(what == "press")
        elif what in ("louder", "quieter"):
            switches.turn_volume(1 if what == "louder" else -1)
        else:
            switches.mute(what == "mute")
        self.begun_at = self.ended_at = self.frame
        self.met = len(self.events)

    def expect(self, step: Step, number: int) -> None:
        """Wait for an event until its time is over."""
        assert step.expect is not None
        counted_from = self.begun_at if step.expect in REACTIONS else self.ended_at
        deadline = counted_from + round(step.within_ms * RATE_HZ / 1000)
        while (event := self._next(step)) is None and self.frame <= deadline:
            self.pass_time(self.card.block_frames)
        if event is None or event.at > deadline:
            late = f"it came {_ms(event.at - counted_from)} ms after" if event else "it did not come"
            self.fail(f"step {number}: {step.expect} within {step.within_ms:.0f} ms: {late}")

    def refuse(self, step: Step, number: int) -> None:
        """Let time pass in which an event must not come."""
        assert step.absent is not None
        self.pass_time(round(step.lasting_ms * RATE_HZ / 1000))
        found = [event for event in self.events[self.met :] if event.what in EVENTS[step.absent]]
        if found:
            self.fail(f"step {number}: {step.absent} came at {found[0].at / RATE_HZ:.2f} s")

    def check(self) -> None:
        """The totals."""
        totals, records = self.scenario.totals, [*self.earlier, *self.toy.journal.turns]
        everybody = [self.toy.journal.record(turn) for turn in range(self.toy.turn.now.turn + 1)]
        counted = {
            "turns": len(records),
            "ducks": sum(record.ducks for record in everybody),
            "cuts": sum(record.interrupted for record in records),
            "revisions": sum(len(record.pauses_ms) for record in everybody),
        }
        if isinstance(self.time, Lives):
            kept = State.open(self.time.state.folder).number(VOLUME, LOUDEST)
            counted |= {"deaths": self.time.deaths, "kept_volume": round(kept)}
        for name, count in counted.items():
            if getattr(totals, name) not in (-1, count):
                self.fail(f"{name}: {count}, not {getattr(totals, name)}")
        said = self.history()
        if totals.history and totals.history not in said:
            self.fail(f"the mind does not remember '{totals.history}': {said}")
        if totals.forgotten and totals.forgotten in said:
            self.fail(f"the mind remembers '{totals.forgotten}': {said}")

    @property
    def earlier(self) -> list[TurnRecord]:
        """The turns of toys that have died."""
        past = self.time.past if isinstance(self.time, Lives) else []
        return [record for journal, _ in past for record in journal.turns]

    def history(self) -> str:
        """What the mind remembers, as text."""
        llm = self.toy.stages[STAGES.index("llm")]
        assert isinstance(llm, Llm)
        return llm.conversation.chat.decode(llm.conversation.ids())

    def fail(self, why: str) -> None:
        """Failed, with the time line."""
        raise Failed(f"{self.scenario.about}\n{why}\n{self.time_line()}")

    def time_line(self) -> str:
        """What happened, a line an event."""
        return "\n".join(
            f"{event.at / RATE_HZ:8.2f} s  {event.what:12} {event.text}" for event in self.events
        )

    def _next(self, step: Step) -> Event | None:
        """The next event of the wanted kind; those before it are passed over."""
        assert step.expect is not None
        for place in range(self.met, len(self.events)):
            event = self.events[place]
            fits = event.what in EVENTS[step.expect] and (step.contains or "") in event.text
            if fits and not (step.lacks and step.lacks in event.text):
                self.met = place + 1
                return event
        return None

    def _event(self, news: News) -> Event:
        return Event(news.what, news.at if news.at >= 0 else self.frame, f"{news.text} {news.tail}".strip())


def _ms(frames: int) -> int:
    return round(frames * 1000 / RATE_HZ)


@cache
def spoken(voice: str, text: str) -> Samples:
    """Words of the user, samples [n], by a style of the pocket voice: no other synthesiser is needed."""
    mouth = _mouth()
    mouth.tts.voice = replace(mouth.tts.voice, style=voice, speed=1.0, pitch=0.0, moods={})
    return mouth.dry(text)


@cache
def _mouth() -> Voice:
    return Voice(load_board("host"), load_character("odette"), wet=False)


@cache
def television(lasting_ms: float) -> Samples:
    """Two voices over each other, samples [n], for so long."""
    count = round(lasting_ms * RATE_HZ / 1000)
    mixed = np.zeros(count, np.float32)
    for voice, text in TELEVISION_LINES:
        line = spoken(voice, text)
        mixed += np.resize(line, count)
    return mixed
