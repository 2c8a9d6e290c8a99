"""Every engine as a worker, for each number of threads, and all of their runs, interleaved."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.llm import DECODED, PIECES
from tools.bench.llm.measures import IDS, REFERENCE, Facts
from tools.bench.peers.comparison import Subject, interleaved
from tools.bench.peers.workers import Worker, WorkerDied, threads

OWN = ("onnx", "mlc")
PEERS = {  # and what of the checkpoint they need
    "llama.cpp": "q4_0.gguf",
    "onnxruntime-genai": "genai",
    "openvino": "openvino",
}
TOKENS = {f"prefill {count}": count for count in PIECES} | {"decode": DECODED}
READ = "read"


@dataclass
class Row:
    """An engine on so many threads: what it did of each task, and what it says of itself."""

    engine: str
    threads: int
    tasks: dict[str, Subject]
    facts: Facts | None = None
    failure: str = ""

    def speed(self, task: str) -> float | None:
        """Tokens a second by the clock, median; None when it was not measured."""
        wall_ms = self.tasks[task].median_wall_ms if self.measured(task) else None
        return 1000 * TOKENS[task] / wall_ms if wall_ms else None

    def best(self, task: str) -> float | None:
        """The same of the best round, which tells a slow engine from one whose threads were kept waiting."""
        return 1000 * TOKENS[task] / min(self.tasks[task].wall_ms) if self.measured(task) else None

    def cpu_ms(self, task: str) -> float | None:
        """CPU time a token, median; None when it was not measured."""
        return self.tasks[task].median_ms / TOKENS[task] if self.measured(task) else None

    def measured(self, task: str) -> bool:
        """Whether there is anything."""
        return bool(self.tasks[task].cpu_ms) and not self.tasks[task].failure

    @property
    def why_not(self) -> str:
        """What kept it from being measured."""
        failures = [self.failure, *(one.failure for one in self.tasks.values())]
        return next((text for text in failures if text), "")


@dataclass
class Measured:
    """All rows, and how fast memory was read meanwhile on so many threads."""

    rows: list[Row] = field(default_factory=list)
    memory: dict[int, Subject] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to measure: the folder of the checkpoint, on how many threads, how often, and beside whom."""

    folder: Path
    threads: Sequence[int]
    rounds: int
    peers: Path | None = None  # the interpreter of their environment; None: the toy's own alone


def measure(plan: Plan, failed: Mapping[str, str]) -> Measured:
    """Runs everything; `failed` says which forms are missing and why."""
    given = plan.folder / IDS
    found = Measured()
    with contextlib.ExitStack() as stack:
        for count in plan.threads:
            found.memory[count] = Subject(READ, stack.enter_context(_memory(plan.folder, count)), READ)
            found.rows += [_row(stack, plan, name, count, failed) for name in _names(plan)]
        print(f"all are loaded; {plan.rounds} rounds", flush=True)
        interleaved([*found.memory.values(), *_in_turn(found.rows)], given, plan.rounds)
        for row in found.rows:
            row.facts = _facts(row, given)
    return found


def _names(plan: Plan) -> Iterator[str]:
    yield from OWN
    yield from PEERS if plan.peers else ()


def _in_turn(rows: Sequence[Row]) -> Iterator[Subject]:
    """A task of all engines before the next task, so that those that are compared ran close to one another."""
    for task in TOKENS:
        yield from (row.tasks[task] for row in rows)


def _row(stack: contextlib.ExitStack, plan: Plan, name: str, count: int, failed: Mapping[str, str]) -> Row:
    """The engine loaded and ready, or the reason why it is not."""
    worker, failure = None, failed.get(PEERS.get(name, name), "")
    if not failure:
        try:
            worker = stack.enter_context(_worker(plan, name, count))
        except WorkerDied as error:
            failure = str(error)
    title = f"{name}, {count}"
    tasks = {task: Subject(title, worker, task, failure) for task in TOKENS}
    return Row(name, count, tasks, failure=failure)


def _worker(plan: Plan, name: str, count: int) -> Worker:
    folder = plan.folder.resolve()
    if name in OWN:
        program = [sys.executable, "-m", "tools.bench.llm.own", str(folder / name), name, str(count)]
        program.append(str(folder / REFERENCE))
    else:
        program = [str(plan.peers), "-m", "tools.bench.llm.peer", name, str(folder), str(count)]
    return Worker(program, folder / f"{name}-{count}.log", threads(count))


def _memory(folder: Path, count: int) -> Worker:
    program = [sys.executable, "-m", "tools.bench.llm.memory"]
    return Worker(program, folder / f"memory-{count}.log", threads(count))


def _facts(row: Row, given: Path) -> Facts | None:
    worker = next(iter(row.tasks.values())).worker
    if worker is None or row.why_not:
        return None
    return Facts(**json.loads(worker.ask("facts", given).text))
