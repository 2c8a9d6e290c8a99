"""What was measured, as tables, and what was promised."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Literal

from tools.bench import print_table
from tools.bench.llm import CONTEXT, DECODED, PIECES
from tools.bench.llm.measuring import OWN, TOKENS, Measured, Row
from tools.bench.llm.memory import READ_BYTES
from tools.bench.peers.comparison import Goal, Subject, ratios

PROMISES = (("onnx", "decode", 0.95), ("onnx", "prefill 32", 0.9), ("mlc", "decode", 0.7))
CLOCKS: dict[Literal["wall_ms", "cpu_ms"], str] = {"wall_ms": "by the clock", "cpu_ms": "by CPU time"}


def print_speeds(found: Measured) -> None:
    """Tokens a second by the clock, and what they cost in CPU time."""
    context = f"{CONTEXT} to {CONTEXT + DECODED}"
    print(f"\ntokens a second by the clock (medians); decode at a context of {context} tokens")
    head = ["engine", "threads", *(f"prefill {count}" for count in PIECES), "decode"]
    rows = [
        [row.engine, row.threads, *map(row.speed, TOKENS), row.best("decode"), _remark(row)]
        for row in found.rows
    ]
    print_table([*head, "in the best round", "remark"], rows)
    print("\nCPU ms a token, all threads together (medians): what other programs do falls out of it")
    rows = [[row.engine, row.threads, *_cpu_cells(row), _remark(row)] for row in found.rows]
    print_table([*head, "remark"], rows)


def print_sizes(found: Measured) -> None:
    """Memory, loading, and how much of what memory could give is reached."""
    print("\nmemory: weights that a token's pass reads, times decoded tokens a second, beside the ceiling")
    for count in found.memory:
        print(
            f"  {count} thread{'s' if count > 1 else ''}: numpy reads {ceiling(found, count):.1f} GB/s here"
        )
    head = ("engine", "threads", "load s", "peak MB", "MB/token", "GB/s", "of ceiling", "like float32", "by")
    print_table(head, [_size_cells(found, row) for row in found.rows])


def ceiling(found: Measured, threads: int) -> float:
    """GB/s, by the median."""
    return READ_BYTES / 1e6 / statistics.median(found.memory[threads].wall_ms)


def goals(found: Measured) -> Iterator[Goal]:
    """The promises, for each number of threads, by the clock and by CPU time; none without peers."""
    for clock, by in CLOCKS.items():
        for count in found.memory:
            for name, task, limit in PROMISES:
                rows = [row for row in found.rows if row.threads == count]
                best = best_peer(rows, task, clock)
                own = next(row for row in rows if row.engine == name)
                if best is not None:
                    what = f"{name} {task} / {best.engine}, {count} thread{'s' if count > 1 else ''}, {by}"
                    yield Goal(what, ratios(best.tasks[task], own.tasks[task], clock), limit, at_least=True)


def best_peer(rows: list[Row], task: str, clock: Literal["wall_ms", "cpu_ms"]) -> Row | None:
    """The fastest of the others."""
    peers = [row for row in rows if row.engine not in OWN and row.measured(task)]
    return min(peers, key=lambda row: _median(row.tasks[task], clock), default=None)


def _median(subject: Subject, clock: Literal["wall_ms", "cpu_ms"]) -> float:
    return statistics.median(getattr(subject, clock))


def _cpu_cells(row: Row) -> list[str]:
    values = [row.cpu_ms(task) for task in TOKENS]
    return ["-" if value is None else f"{value:.2f}" for value in values]


def _size_cells(found: Measured, row: Row) -> list[object]:
    facts, speed = row.facts, row.speed("decode")
    if facts is None or speed is None:
        return [row.engine, row.threads, *[None] * 6, _remark(row)]
    read = speed * facts.weight_bytes / 1e9
    share = f"{100 * read / ceiling(found, row.threads):.0f} %"
    sizes = [f"{facts.load_s:.2f}", facts.peak_mb, facts.weight_bytes / 1e6, read]
    likeness = "-" if facts.likeness is None else f"{facts.likeness:.2f}"
    return [row.engine, row.threads, *sizes, share, likeness, facts.version]


def _remark(row: Row) -> str:
    return f"not measured: {row.why_not}" if row.why_not else ""
