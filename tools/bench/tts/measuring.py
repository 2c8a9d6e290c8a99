"""Every voice as a worker on one core, and all of their runs, interleaved."""

from __future__ import annotations

import contextlib
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tools.bench.peers.comparison import Subject
from tools.bench.peers.workers import Worker, WorkerDied
from tools.bench.tts import ALL, FIRST, FIRST_PIECE, ONE_SHOT, PHRASE
from tools.bench.tts.company import Company

PEER_TASKS = (ONE_SHOT, FIRST)
Clock = Literal["wall_ms", "cpu_ms"]
CLOCKS: dict[Clock, str] = {"wall_ms": "by the clock", "cpu_ms": "by CPU time"}


@dataclass(frozen=True)
class Voice:
    """One of the toy's voices on a runtime."""

    name: str
    folder: Path
    engine: str
    runtime: str
    beside: bool = False  # also with ears and mind at work on another core
    tasks: tuple[str, ...] = (ONE_SHOT, FIRST, ALL, FIRST_PIECE)


@dataclass
class Row:
    """A voice and what it did of each task."""

    name: str
    tasks: dict[str, Subject]
    beside: bool = False

    @property
    def why_not(self) -> str:
        """What kept it from being measured."""
        return next((task.failure for task in self.tasks.values() if task.failure), "")

    def took_ms(self, task: str, clock: Clock) -> list[float]:
        """Each round's time; none when it was not measured."""
        found = self.tasks.get(task)
        return [] if found is None or found.failure else list(getattr(found, clock))

    def ratios(self, task: str, other: str, clock: Clock) -> list[float]:
        """How many times the other task's time each round took."""
        pairs = zip(self.took_ms(task, clock), self.took_ms(other, clock), strict=False)
        return [one / two for one, two in pairs]

    def real_time_factors(self, clock: Clock) -> list[float]:
        """Time to say the phrase, all of it, over how long it sounds."""
        return [ms / 1000 / float(self.tasks[ALL].text) for ms in self.took_ms(ALL, clock)]


@dataclass(frozen=True)
class Plan:
    """What to measure, how often, on which cores, and where things are kept."""

    voices: Sequence[Voice]
    folder: Path
    rounds: int
    cores: tuple[int, int | None]  # the voice's, and the one of ears and mind if there is another
    board: str = "host"
    peer: tuple[Path, Path, str] | None = None  # its interpreter, the voice's folder, the phonemes


@dataclass
class Measured:
    """All rows; the peer's is the last, when there is one."""

    rows: list[Row] = field(default_factory=list)
    peer: Row | None = None

    def row(self, name: str) -> Row | None:
        """The row of that name."""
        return next((row for row in self.rows if row.name == name), None)


def measure(plan: Plan) -> Measured:
    """Runs everything: all rows once a round, so that what else the machine does falls on all of them."""
    text = _given(plan.folder / "phrase.npy", PHRASE)
    found = Measured()
    with contextlib.ExitStack() as stack:
        company = _company(plan, stack)
        for voice in plan.voices:
            worker, failure = _loaded(stack, plan, voice)
            found.rows += list(_rows(voice, worker, failure, company))
        if plan.peer is not None:
            found.peer = _peer(stack, plan, *plan.peer[:2])
        print(f"all are loaded; {plan.rounds} rounds", flush=True)
        for _ in range(plan.rounds):
            for row in found.rows:
                _run(row, text, company)
            if found.peer is not None and plan.peer is not None:
                _run(found.peer, _given(plan.folder / "phonemes.npy", plan.peer[2]), company)
    return found


def _run(row: Row, given: Path, company: Company | None) -> None:
    with company.working() if row.beside and company else contextlib.nullcontext():
        for task in row.tasks.values():
            task.run(given)


def _rows(voice: Voice, worker: Worker | None, failure: str, company: Company | None) -> Iterator[Row]:
    yield Row(voice.name, _subjects(voice.name, worker, voice.tasks, failure))
    if voice.beside:
        why = failure or ("" if company else "there is one core alone")
        yield Row(
            f"{voice.name}, beside ears and mind", _subjects(voice.name, worker, voice.tasks, why), True
        )


def _subjects(name: str, worker: Worker | None, tasks: Sequence[str], failure: str) -> dict[str, Subject]:
    return {task: Subject(name, worker, task, failure) for task in tasks}


def _company(plan: Plan, stack: contextlib.ExitStack) -> Company | None:
    if plan.cores[1] is None or not any(voice.beside for voice in plan.voices):
        return None
    company = Company(plan.board, plan.cores[1])
    stack.callback(company.close)
    return company


def _loaded(stack: contextlib.ExitStack, plan: Plan, voice: Voice) -> tuple[Worker | None, str]:
    """The worker, or why there is none."""
    program = [sys.executable, "-m", "tools.bench.tts.own", str(voice.folder.resolve())]
    program += [voice.engine, voice.runtime, str(plan.cores[0])]
    return _worker(stack, program, plan.folder / f"{voice.name}.log")


def _peer(stack: contextlib.ExitStack, plan: Plan, python: Path, folder: Path) -> Row:
    program = [str(python), "-m", "tools.bench.tts.peer", str(folder.resolve()), str(plan.cores[0])]
    worker, failure = _worker(stack, program, plan.folder / "kokoro-onnx.log")
    return Row("kokoro-onnx", _subjects("kokoro-onnx", worker, PEER_TASKS, failure))


def _worker(stack: contextlib.ExitStack, program: list[str], log: Path) -> tuple[Worker | None, str]:
    try:
        return stack.enter_context(Worker(program, log)), ""
    except WorkerDied as error:
        return None, str(error)


def _given(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.array(text))
    return path.resolve()


def median(values: Sequence[float]) -> float | None:
    """None of nothing."""
    return statistics.median(values) if values else None
