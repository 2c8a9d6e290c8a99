"""Keeps a conversation while it happens: every message, every reading that a decision hung on, and the sound."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.clock import Clock
from epsilon.errors import StageDied
from epsilon.hardware.senses import Readings
from epsilon.messages import Message
from epsilon.ring import Ring, Samples
from epsilon.stage import Stage
from epsilon.stages.body import Body
from epsilon.stages.capture import Capture
from epsilon.stages.playback import Playback
from epsilon.stages.vad import Vad
from epsilon.takes.checks import LOCKSTEP
from epsilon.takes.folder import NewTake, Take, Unkept, check_free, header_of
from epsilon.takes.tap import NEWS, Joint, joints, tap
from epsilon.takes.witness import noting
from epsilon.takes.written import Json, written
from epsilon.toy import Toy

CARD_READINGS = ("write", "room", "pending", "left", "cut")
MOUTH_READINGS = ("sounding", "deafening", "spoke")
HAND_READINGS = ("pressed", "muted", "volume", "off")
FEELING_READINGS = ("read",)


class Recording:
    """A take in the making, in a folder or, with None, in memory.

    `clock` is to be given to the toy; then `attach`, `flush` now and then, and `close`. All is noted in the thread in
    which it happens and numbered in the order in which it happened; only `flush` and `close` write, in the caller's.
    """

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        if folder is not None:
            check_free(folder)
        self._folder = folder
        self._read: Callable[[], Take] | None = None
        self._real_clock = clock
        self._first_readings: list[float] = []
        self.clock: Clock = noting(clock, lambda _, now_s: self._first_readings.append(now_s), ("now",))
        self._numbers = itertools.count()
        self._lines: deque[Json] = deque()
        self._sound: deque[tuple[Samples, Samples]] = deque()
        self._work: dict[str, Json] = {}  # what each stage is at, by its name
        self._seen: dict[tuple[str, str], Any] = {}

    def attach(self, toy: Toy, pace: str) -> None:
        """From here on everything is noted. The toy has not been started yet."""
        self._toy, self._pace = toy, pace
        self._take = NewTake(self._folder) if self._folder else Unkept()
        for joint in [*joints(toy.stages)]:
            tap(joint, self._passes(joint))
        for stage in toy.stages:
            hears = isinstance(stage, Capture | Vad) or pace == LOCKSTEP
            notes = self._sees(stage) if hears else self._reads(stage)
            if isinstance(stage, Capture | Vad | Playback | Body):
                stage.switches = noting(stage.switches, notes, properties=HAND_READINGS)
            if isinstance(stage, Body):
                stage.feeling = noting(stage.feeling, notes, FEELING_READINGS)
            if isinstance(stage, Capture):
                stage.card = noting(stage.card, self._hears, ("read",))
            stage.clock = self._real_clock
            if pace != LOCKSTEP:
                self._attach_to_thread(stage)

    def _attach_to_thread(self, stage: Stage) -> None:
        stage.watchers = (*stage.watchers, self)
        stage.clock = noting(self._real_clock, self._reads(stage), ("now",))
        if isinstance(stage, Playback):
            stage.card = noting(stage.card, self._reads(stage), CARD_READINGS)
        if isinstance(stage, Vad):
            stage.mouth = noting(stage.mouth, self._sees(stage), properties=MOUTH_READINGS)

    def begin(self, stage: Stage, inbox: Ring[Message] | None, item: Message | None) -> Json:
        """Note what a stage begins to do (epsilon.stage.Watcher)."""
        work: Json = {"n": next(self._numbers), "t": self._time(), "stage": stage.name}
        if inbox is not None:
            work |= {"took": stage.inboxes.index(inbox), "left": len(inbox)}
        if isinstance(stage, Vad):
            work["heard"] = stage.reader.at
        work |= {"turns": self._toy.turn.changes, "puts": 0, "stale": stage.counts.stale, "reads": {}}
        self._work[stage.name] = work
        return work

    def end(self, stage: Stage, begun: Json, busy: bool) -> None:
        """A tick that did nothing is not kept."""
        del self._work[stage.name]
        begun["stale"] = stage.counts.stale - begun["stale"]
        told = begun.pop("told", False)
        if not isinstance(stage, Capture) and ("took" in begun or busy or begun["puts"] or told):
            self._lines.append(begun)

    def flush(self) -> None:
        """Write what has been noted so far."""
        while self._lines:
            self._take.add(self._lines.popleft())
        blocks = [self._sound.popleft() for _ in range(len(self._sound))]
        if blocks:
            microphone, played = (np.concatenate(side) for side in zip(*blocks, strict=True))
            self._take.add_sound(microphone, played)

    @property
    def taken(self) -> Take | None:
        """What was kept, once it is closed."""
        return self._read() if self._read else None

    def close(self, ended: str = "well") -> None:
        """The toy has been stopped: the take is whole."""
        self.flush()
        header = header_of(self._toy, self._pace, self._first_readings, ended)
        self._read = self._take.finish(header)

    def _time(self) -> float:
        return round(self._real_clock.now() - self._toy.card.time_of(0), 6)

    def _passes(self, joint: Joint) -> Callable[[Ring[Any], Any], bool]:
        def passes(ring: Ring[Any], item: Any) -> bool:
            line: Json = {"n": next(self._numbers), "t": self._time(), "at": self._toy.microphone.written}
            if not ring.put(item):
                return False
            work = self._work.get(joint.writer.name, {})
            if joint.attribute == NEWS:
                work["told"] = True
            else:
                work["puts"] = work.get("puts", 0) + 1
            self._lines.append({**line, "ring": joint.name, "message": written(item)})
            return True

        return passes

    def _reads(self, stage: Stage) -> Callable[[str, Any], None]:
        """Notes a reading beside what the stage is at; what it reads between two pieces of work decides nothing."""
        name = stage.name

        def note(what: str, value: Any) -> None:
            if (work := self._work.get(name)) is not None:
                kept = [stage.reader.at, value] if isinstance(stage, Vad) else _kept(value)
                work["reads"].setdefault(what, []).append(kept)
                work["told"] = work.get("told", False) or isinstance(value, Readings)

        return note

    def _sees(self, stage: Stage) -> Callable[[str, Any], None]:
        """Notes when something looks otherwise than before, and at which frame of the microphone."""

        def note(what: str, value: Any) -> None:
            key = (stage.name, what)
            if self._seen.get(key) != value:
                self._seen[key] = value
                at = stage.reader.at if isinstance(stage, Vad) else self._toy.microphone.written
                line: Json = {"n": next(self._numbers), "t": self._time(), "at": at}
                self._lines.append({**line, "seen": what, "by": stage.name, "value": _kept(value)})

        return note

    def _hears(self, _: str, block: Samples | None) -> None:
        if block is None:
            return
        reference = self._toy.card.reference
        played = reference.copy(max(0, reference.written - len(block)), min(reference.written, len(block)))
        assert played is not None, "the reference ring is shorter than a block"
        silence = np.zeros(len(block) - len(played), np.float32)
        self._sound.append((block, np.concatenate((silence, played))))


def _kept(value: Any) -> Any:
    """As it stands in a line: battery and heat as three figures."""
    return astuple(value) if isinstance(value, Readings) else value


@contextlib.contextmanager
def keeping(recording: Recording | None) -> Iterator[None]:
    """Whatever happens inside, the take of it is whole afterwards; with None nothing is kept."""
    ended = "interrupted"
    try:
        yield
        ended = "well"
    except StageDied as death:
        ended = f"died: {death}"
        raise
    finally:
        if recording is not None:
            recording.close(ended)
