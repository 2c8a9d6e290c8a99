"""Where the time went: what every stage and engine did when, in the JSON of Chrome's tracing, which Perfetto opens.

A row for each stage's thread and one for each accelerator; a span for each piece of work and, inside it, each call of
an engine; arrows along a turn, from who sent a message to who took it; counters for the fill of the rings, the length
of the mind's cache, battery, heat and the processor.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from epsilon.audio_files import finished
from epsilon.config.board import Board
from epsilon.hardware.senses import Readings
from epsilon.messages import Message
from epsilon.ring import Ring
from epsilon.stage import Stage
from epsilon.stages.body import Body
from epsilon.stages.capture import Capture
from epsilon.stages.llm import Llm
from epsilon.takes.tap import NEWS, Joint, joints, tap
from epsilon.takes.witness import noting
from epsilon.toy import Toy
from epsilon.turn import Mark

ENGINES = {  # where a stage keeps an engine: which of its calls are worth a span
    "canceller": ("cancel",),
    "detector": ("push",),
    "end_of_turn": ("push", "wait_ms"),
    "recognizer": ("start", "hear", "finish"),
    "model": ("append", "sync_to", "step", "logits", "fork", "rollback"),
    "synthesizer": ("spell", "speak"),
}
ACCELERATORS = {"rknn": "NPU"}  # by runtime; what mlc computes on is the stage's device
CPU_WINDOW_S = 0.25
TOY, BESIDE = 1, 2  # processes of the trace: the toy's threads, and what computes for them


class Span(NamedTuple):
    """Something that took time: seconds since the start of the trace, and the microphone's frame then."""

    row: str
    name: str
    start_s: float
    lasted_s: float
    cpu_s: float
    at: int
    mark: Mark | None = None
    engine: bool = False


class Count(NamedTuple):
    """A number that changed."""

    name: str
    time_s: float
    at: int
    value: int


class Hop(NamedTuple):
    """One end of an arrow: a message that left, or that was taken."""

    key: str
    row: str
    time_s: float
    mark: Mark
    leaves: bool


class Timed:
    """An engine whose calls are timed; a generator's, each time it is asked for more."""

    def __init__(
        self, real: Any, calls: tuple[str, ...], timed: Callable[[str, Callable[[], Any]], Any]
    ) -> None:
        self._real, self._calls, self._timed = real, frozenset(calls), timed

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in self._calls:
            return value

        def called(*given: Any) -> Any:
            result = self._timed(name, lambda: value(*given))
            return self._pieces(name, result) if hasattr(result, "__next__") else result

        return called

    def _pieces(self, name: str, pieces: Iterator[Any]) -> Iterator[Any]:
        ended = object()
        while (piece := self._timed(name, lambda: next(pieces, ended))) is not ended:
            yield piece


class Trace:
    """Watches a toy's stages (epsilon.stage.Watcher); `write` when it has been stopped.

    `now` is whose seconds the spans are in: the machine's, or those of a clock that a board's costs move.
    """

    def __init__(self, toy: Toy, now: Callable[[], float] = time.perf_counter) -> None:
        self._toy, self._now, self._start_s = toy, now, now()
        self._llm = next(stage for stage in toy.stages if isinstance(stage, Llm))
        self.rows = [stage.name for stage in toy.stages]
        self.beside = beside(toy.board)
        self.spans: list[Span] = []
        self.counts: list[Count] = []
        self.hops: list[Hop] = []
        self._names: dict[int, str] = {}
        for joint in [*joints(toy.stages)]:
            if joint.attribute != NEWS:
                self._names[id(joint.ring)] = joint.name
                tap(joint, self._passes(joint))
        for stage in toy.stages:
            stage.watchers = (*stage.watchers, self)
            self._time_engines(stage)

    def begin(
        self, stage: Stage, inbox: Ring[Message] | None, item: Message | None
    ) -> tuple[float, float, Message | None]:
        """A stage begins to work."""
        if inbox is not None and item is not None and (name := self._names.get(id(inbox))) is not None:
            self.hops.append(Hop(f"{name}{inbox.read}", stage.name, self._time(), item.mark, False))
            self._count(name, len(inbox))
        return self._time(), time.thread_time(), item

    def end(self, stage: Stage, begun: tuple[float, float, Message | None], busy: bool) -> None:
        """It is done; a tick that did nothing is not kept."""
        if busy or isinstance(stage, Capture):  # which says that it may rest, and has heard a block
            start_s, cpu_s, item = begun
            name, mark = (type(item).__name__, item.mark) if item is not None else ("tick", None)
            cpu_s = time.thread_time() - cpu_s
            lasted_s = self._time() - start_s
            self.spans.append(
                Span(stage.name, name, start_s, lasted_s, cpu_s, self._toy.microphone.written, mark)
            )
            if stage is self._llm:
                self._count("KV length (tokens)", len(self._llm.sequence.ids))

    def write(self, path: Path) -> None:
        """The trace as a file, whole or not at all."""
        told = {"board": self._toy.board.name, "character": self._toy.character.name}
        document = {"traceEvents": [*self._events()], "displayTimeUnit": "ms", "otherData": told}
        with finished(path) as unfinished:
            unfinished.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")

    def cpu(self) -> Iterator[tuple[str, float, float]]:
        """Row, start of a window of CPU_WINDOW_S, and the processor time in it in percent of one core."""
        used: dict[tuple[str, int], float] = {}
        for span in self.spans:
            if not span.engine:
                key = span.row, int(span.start_s / CPU_WINDOW_S)
                used[key] = used.get(key, 0.0) + span.cpu_s
        for row, window in sorted(used, key=lambda key: key[1]):
            yield row, window * CPU_WINDOW_S, 100 * used[row, window] / CPU_WINDOW_S
            if (row, window + 1) not in used:
                yield row, (window + 1) * CPU_WINDOW_S, 0.0

    def _time(self) -> float:
        return self._now() - self._start_s

    def _count(self, name: str, value: int) -> None:
        self.counts.append(Count(name, self._time(), self._toy.microphone.written, value))

    def _passes(self, joint: Joint) -> Callable[[Ring[Any], Any], bool]:
        def passes(ring: Ring[Any], item: Any) -> bool:
            time_s = self._time()
            if not ring.put(item):
                return False
            key = f"{joint.name}{joint.ring.written}"
            self.hops.append(Hop(key, joint.writer.name, time_s, item.mark, True))
            self._count(joint.name, len(joint.ring))
            return True

        return passes

    def _time_engines(self, stage: Stage) -> None:
        for attribute, calls in ENGINES.items():
            if hasattr(stage, attribute):
                timed = self._timer(self.beside.get(stage.name, stage.name), attribute.replace("_", " "))
                setattr(stage, attribute, Timed(getattr(stage, attribute), calls, timed))
        if isinstance(stage, Body):
            stage.feeling = noting(stage.feeling, self._feels, ("read",))
        for effect in getattr(stage, "chain", ()):
            name = type(effect).__module__.rpartition(".")[2]
            stage.chain = [  # type: ignore[attr-defined]
                Timed(one, ("process",), self._timer(stage.name, name)) if one is effect else one
                for one in stage.chain  # type: ignore[attr-defined]
            ]

    def _feels(self, _: str, readings: Readings | None) -> None:
        """Battery and heat, as often as the toy looks."""
        felt = (readings.percent, readings.celsius) if readings else (None, None)
        for name, value in zip(("battery (%)", "heat (°C)"), felt, strict=True):
            if value is not None:
                self._count(name, round(value))

    def _timer(self, row: str, engine: str) -> Callable[[str, Callable[[], Any]], Any]:
        def timed(call: str, work: Callable[[], Any]) -> Any:
            start_s, cpu_s = self._time(), time.thread_time()
            result = work()
            cpu_s = time.thread_time() - cpu_s
            at = self._toy.microphone.written
            self.spans.append(
                Span(row, f"{engine}.{call}", start_s, self._time() - start_s, cpu_s, at, engine=True)
            )
            return result

        return timed

    def _events(self) -> Iterator[dict[str, Any]]:
        places = {row: (TOY, place) for place, row in enumerate(self.rows, 1)}
        places |= {row: (BESIDE, place) for place, row in enumerate(sorted({*self.beside.values()}), 1)}
        yield from _rows(places)
        for span in self.spans:
            pid, tid = places[span.row]
            told = {"cpu_ms": round(span.cpu_s * 1e3, 3), "sound_s": round(span.at / 16_000, 3)}
            if span.mark:
                told["turn"] = "{}.{}".format(*span.mark)  # type: ignore[assignment]
            kind = "engine" if span.engine else "stage"
            event = {
                "ph": "X",
                "cat": kind,
                "name": span.name,
                "ts": _us(span.start_s),
                "dur": _us(span.lasted_s),
            }
            yield {**event, "pid": pid, "tid": tid, "args": told}
        for hop in self.hops:
            pid, tid = places[hop.row]
            event = {"ph": "s" if hop.leaves else "f", "cat": "turn", "name": "turn {}.{}".format(*hop.mark)}
            yield {**event, "id": hop.key, "bp": "e", "ts": _us(hop.time_s), "pid": pid, "tid": tid}
        for count in self.counts:
            yield _counter(count.name, count.time_s, count.value)
        for row, start_s, percent in self.cpu():
            yield _counter(f"CPU {row} (% of a core)", start_s, round(percent, 2))


def beside(board: Board) -> dict[str, str]:
    """By stage, the accelerator on which its engine computes, where it is not the processor."""
    found = {}
    for stage, settings in board.stages.items():
        if settings.runtime in ACCELERATORS:
            cores = ",".join(map(str, settings.npu_cores))
            found[stage] = f"{ACCELERATORS[settings.runtime]} {cores}".strip()
        elif settings.runtime == "mlc" and settings.device != "cpu":
            found[stage] = f"GPU ({settings.device})"
    return found


def _rows(places: dict[str, tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for pid, name in ((TOY, "toy"), (BESIDE, "accelerators")):
        if any(place[0] == pid for place in places.values()):
            yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}}
    for row, (pid, tid) in places.items():
        yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": row}}
        yield {"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": tid}}


def _counter(name: str, time_s: float, value: float) -> dict[str, Any]:
    return {"ph": "C", "name": name, "ts": _us(time_s), "pid": TOY, "tid": 0, "args": {"value": value}}


def _us(time_s: float) -> float:
    return round(time_s * 1e6, 1)
