"""Plays a take again: block by block, or, where threads made it, their pieces of work in the order they had."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from epsilon.clock import Clock, ManualClock
from epsilon.config.board import Audio, Board
from epsilon.config.character import Character
from epsilon.devices.wav import WavCard
from epsilon.duplex import Acoustics
from epsilon.emulation.lockstep import LockStep
from epsilon.hardware.none import NoHardware
from epsilon.hardware.senses import Readings, Senses
from epsilon.messages import News
from epsilon.ring import Ring, Samples
from epsilon.stage import Stage
from epsilon.stages.body import Body
from epsilon.stages.capture import Capture
from epsilon.stages.playback import Playback
from epsilon.stages.vad import Vad
from epsilon.takes.checks import LOCKSTEP, TakeError
from epsilon.takes.folder import Take
from epsilon.takes.recording import CARD_READINGS, FEELING_READINGS, HAND_READINGS, MOUTH_READINGS
from epsilon.takes.tap import NEWS, Joint, joints, tap
from epsilon.takes.witness import retelling
from epsilon.takes.written import Json, written
from epsilon.toy import Toy
from epsilon.turn import Mark

MARK_PARTS = len(Mark._fields)


class TakeCard(WavCard):
    """Gives what the take's microphone gave; where that heard the speaker, also what had left the speaker then."""

    def __init__(self, audio: Audio, clock: Clock, take: Take) -> None:
        super().__init__(audio, clock, take.microphone)
        self.hears_itself = bool(take.header["hears_itself"])
        self._played = take.played

    def read(self) -> Samples | None:
        at = self._read_frames
        block = super().read()
        if block is not None and self.hears_itself:  # behind its own: whoever cancels looks at the newest
            played = np.zeros(len(block), np.float32)
            found = self._played[at : at + len(block)]
            played[: len(found)] = found
            self.reference.write(played)
        return block


class Seen:
    """What looked how from which frame of the microphone on, as one stage saw it."""

    def __init__(self, lines: list[Json], stage: Stage, frame: Callable[[], int]) -> None:
        self._frame = frame
        self._coming: dict[str, deque[Json]] = defaultdict(deque)
        self._now: dict[str, Any] = {}
        for line in lines:
            if line.get("by") == stage.name:
                self._coming[line["seen"]].append(line)

    def tell(self, what: str) -> list[Any]:
        """The value in force, in a list of one; none where nothing was noted."""
        coming = self._coming[what]
        while coming and coming[0]["at"] <= self._frame():
            self._now[what] = _as_seen(coming.popleft()["value"])
        return [self._now[what]] if what in self._now else []


def _as_seen(value: Any) -> Any:
    """What a stage was told: switches as they are, the toy's mouth by a mark, battery and heat by three figures."""
    if not isinstance(value, list):
        return value
    return Mark(*value) if len(value) == MARK_PARTS else Readings(*value)


class Again:
    """A toy built as the take's was, and what passes between its stages; `run` plays all of it."""

    def __init__(self, take: Take, board: Board, character: Character) -> None:
        self.take, self.found = take, list[Json]()
        self.by_ring = take.pace != LOCKSTEP  # the order among rings was that of threads
        self._clock = ManualClock()
        self._numbers = itertools.count()
        self.next_line = 0
        self._before: Counter[str] = Counter()
        acoustics = Acoustics(**take.header["acoustics"]) if take.header["acoustics"] else None
        readings = deque(take.header["first_readings"])
        first = retelling(self._clock, lambda _: [readings.popleft()] if readings else [], ("now",))
        self.card = TakeCard(board.audio, self._clock, take)
        none, nothing = NoHardware(), Senses(None, ())  # what hands did and what was felt is in the take
        self.toy = Toy(board, character, self.card, first, acoustics, hardware=none, feeling=nothing)
        self.stages = {stage.name: stage for stage in self.toy.stages}
        self.joints = [*joints(self.toy.stages)]
        for joint in self.joints:
            tap(joint, self._passes(joint))
        self._clock.advance_to(take.header["start_s"])
        for stage in self.toy.stages:
            self._prepare(stage)

    def run(self, rest: Callable[[], None] = lambda: None) -> Iterator[News]:
        """Play it; what the stages tell whoever watches, as it comes. `rest` is called whenever no stage is at work."""
        if not self.toy.microphone.written:
            self.card.start()
        yield from self._blocks(rest) if self.take.pace == LOCKSTEP else self._works(rest)

    @property
    def expected(self) -> list[Json]:
        """The take's messages from where this one began to play."""
        passed, kept = Counter[str](), []
        for line in self.take.messages:
            passed[line["ring"]] += 1
            if passed[line["ring"]] > self._before[line["ring"]]:
                kept.append(line)
        return kept

    def begin_behind(self, next_line: int, before: Counter[str]) -> None:
        """What came before this line of the take, so many messages in each ring, has been played already."""
        self.next_line, self._before = next_line, before

    def pass_block(self) -> None:
        """A block of the microphone is captured."""
        end = self.toy.microphone.written + self.card.block_frames
        self._clock.advance_to(self.card.time_of(end))
        self.toy.stages[0].keep_time()

    def _prepare(self, stage: Stage) -> None:
        """Give a stage its clock, and hands that move as they did."""
        stage.clock = self._clock
        seen = Seen(self.take.lines, stage, self._frames_of(stage))
        tell = seen.tell if isinstance(stage, Capture | Vad) else self._tells(stage, seen)
        if isinstance(stage, Capture | Vad | Playback | Body):
            stage.switches = retelling(stage.switches, tell, properties=HAND_READINGS)
        if isinstance(stage, Body):
            stage.feeling = retelling(stage.feeling, tell, FEELING_READINGS)

    def _tells(self, stage: Stage, seen: Seen) -> Callable[[str], list[Any]]:
        """Who says how hands and senses looked to a stage that does not hear."""
        return seen.tell

    def _frames_of(self, stage: Stage) -> Callable[[], int]:
        if isinstance(stage, Vad):
            return lambda: stage.reader.at
        return lambda: self.toy.microphone.written

    def _blocks(self, rest: Callable[[], None]) -> Iterator[News]:
        time = LockStep(self.toy, self.card, self._clock)
        time.frame = self.toy.microphone.written
        while time.frame < self.take.header["frames"]:
            yield from time.pass_block()
            rest()

    def _works(self, rest: Callable[[], None]) -> Iterator[News]:
        raise NotImplementedError

    def _passes(self, joint: Joint) -> Callable[[Ring[Any], Any], bool]:
        def passes(ring: Ring[Any], item: Any) -> bool:
            line = {"n": next(self._numbers), "at": self.toy.microphone.written, "ring": joint.name}
            if not self._may_pass(joint):
                return True
            self.found.append({**line, "message": written(item)})
            return ring.put(item)

        return passes

    def _may_pass(self, joint: Joint) -> bool:
        return True


class AgainByWork(Again):
    """Of a take that threads made: every piece of work when its turn comes, with the readings it had then."""

    def __init__(self, take: Take, board: Board, character: Character) -> None:
        self._news: list[News] = []
        self._rest: Callable[[], None] = lambda: None
        self._left: dict[str, Json] = {}  # of the work a stage is at: what was read and is still to be told
        self.lost: list[Json] = []  # work that could not be done, because its message is not there
        super().__init__(take, board, character)
        self._writers = {id(joint.ring): joint.writer.name for joint in self.joints}

    def _prepare(self, stage: Stage) -> None:
        super()._prepare(stage)
        if isinstance(stage, Vad):
            stage.clock = retelling(self._clock, self._told_at(stage), ("now",))
            seen = Seen(self.take.lines, stage, self._frames_of(stage))
            stage.mouth = retelling(stage.mouth, seen.tell, properties=MOUTH_READINGS)
        else:
            stage.clock = retelling(self._clock, self._told(stage.name), ("now",))
        if isinstance(stage, Playback):
            stage.card = retelling(stage.card, self._told(stage.name), CARD_READINGS, also=("write", "cut"))

    def _tells(self, stage: Stage, seen: Seen) -> Callable[[str], list[Any]]:
        return self._told(stage.name)

    def _told(self, name: str) -> Callable[[str], list[Any]]:
        """The readings of the work that a stage is at."""

        def tell(what: str) -> list[Any]:
            kept = self._left.get(name, {}).get("reads", {}).get(what)
            return [_as_seen(kept.popleft())] if kept else []

        return tell

    def _told_at(self, stage: Vad) -> Callable[[str], list[Any]]:
        """The readings of the stage that hears, by the frame up to which it had heard."""
        kept: dict[int, deque[Any]] = defaultdict(deque)
        for line in self.take.lines:
            for at, value in line.get("reads", {}).get("now", ()) if line.get("stage") == stage.name else ():
                kept[at].append(value)

        def tell(_: str) -> list[Any]:
            here = kept.get(stage.reader.at)
            return [here.popleft()] if here else []

        return tell

    def _may_pass(self, joint: Joint) -> bool:
        """False for a result that was dropped then: the turn moved on in the middle of the work that made it."""
        work = self._left.get(joint.writer.name)
        if work is None or joint.attribute == NEWS:
            return True
        work["puts"] -= 1
        return bool(work["puts"] >= 0 or not work["stale"])

    def _works(self, rest: Callable[[], None]) -> Iterator[News]:
        self._rest = rest
        for place, line in enumerate(self.take.lines[self.next_line :], self.next_line):
            self.next_line = place
            stage = self.stages.get(line.get("stage", ""))
            if stage is not None and not (isinstance(stage, Vad) and "took" not in line):
                self._do(stage, line)
        self.next_line = len(self.take.lines)
        while self._hear():
            pass
        for item in sorted(self._news, key=lambda item: item.time_s):
            self.toy.journal.take(item)
            yield item

    def _do(self, stage: Stage, line: Json) -> None:
        """One piece of work."""
        inbox = self._inbox(stage, line)
        self._wait_for(stage, inbox, line)
        if inbox is not None and inbox.peek() is None:
            self.lost.append(line)
            return
        self._clock.advance_to(self.take.header["start_s"] + line["t"])
        reads = {} if isinstance(stage, Vad) else {name: deque(kept) for name, kept in line["reads"].items()}
        self._left[stage.name] = {**line, "reads": reads}
        if inbox is not None:
            stage.serve(inbox)
        else:
            stage.keep_time()
        del self._left[stage.name]
        self._collect()

    def _inbox(self, stage: Stage, line: Json) -> Ring[Any] | None:
        """Which one the work began with."""
        if line.get("took", -1) >= len(stage.inboxes):
            raise TakeError(f"{stage.name} has no inbox {line['took']}", f"{self.take.folder}: {line['n']}")
        return stage.inboxes[line["took"]] if "took" in line else None

    def _wait_for(self, stage: Stage, inbox: Ring[Any] | None, line: Json) -> None:
        """Let the sound go on to where it was: by what was heard, by whose turn it was, by what lay in the inbox."""
        if isinstance(stage, Vad):
            while stage.reader.at < line["heard"] and self._hear():
                pass
            return
        while self.toy.turn.changes < line["turns"] and self._hear():
            pass
        if inbox is not None and self._writers.get(id(inbox)) == "vad":
            while len(inbox) <= line["left"] and self._hear():
                pass

    def _hear(self) -> bool:
        """A block of the microphone, and what whoever listens makes of it; False when there is no more."""
        if self.toy.microphone.written >= self.take.header["frames"]:
            return False
        self.pass_block()
        self.stages["vad"].keep_time()
        self._collect()
        self._rest()
        return True

    def _collect(self) -> None:
        for stage in self.toy.stages:
            while stage.news is not None and (item := stage.news.take()) is not None:
                self._news.append(item)


def again(take: Take, board: Board, character: Character) -> Again:
    """The way in which this take is to be played again."""
    kind = Again if take.pace == LOCKSTEP else AgainByWork
    return kind(take, board, character)
