"""Which cores the models of a board have, as it was measured on the board itself: a file that people read and pin."""

from __future__ import annotations

import logging
import math
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from epsilon.config.board import Board
from epsilon.config.document import Problems, Table, nowhere, read
from epsilon.config.fields import read_table, setting
from epsilon.config.models import find_model
from epsilon.errors import ConfigError
from epsilon.state import sync_folder

FILE = "plan.yaml"
MODELS = ("asr", "llm", "tts")  # the stages that a plan may move
HEADER = """\
# Which cores each model has on this board. It was tried out here; `epsilon plan` tries anew.
# Write `pinned: true` and whatever you put below stays; delete the file and the board's own seats count.
"""
DIGITS = 12  # of a model's checksum

log = logging.getLogger(__name__)
Seats = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Figures:
    """What was measured with some seats; every time is from the last sample of speech."""

    ready_ms: float = setting("until the answer could have sounded", 0.0, 0, 1e9)
    answer_ms: float = setting("until it sounded: the end of the turn has to be certain", 0.0, 0, 1e9)
    gaps_ms: float = setting("silences inside an answer, all together", 0.0, 0, 1e9)
    memory_mb: float = setting("most memory of the process", 0.0, 0, 1e9)


@dataclass(frozen=True)
class Plan:
    """The file."""

    board: str = setting("the board it was made for")
    stages: Table = setting("the cores of each model", nowhere)
    pinned: bool = setting("somebody wants it so: it is never measured anew", False)
    machine: str = setting("where it was measured", "")
    models: dict[str, str] = setting(
        "the models it was measured with, the beginning of their checksums", dict
    )
    measured: Figures = setting("with these cores", Figures)
    where: Table = field(default_factory=nowhere, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """Seats that were tried, and what came of it."""

    seats: Seats
    figures: Figures

    def meets(self, board: Board) -> bool:
        """Whether that is within the board's budget."""
        budget = board.budget
        return self.figures.answer_ms <= budget.first_answer_ms and self.figures.memory_mb <= budget.memory_mb

    def __str__(self) -> str:
        where = ", ".join(f"{stage} {list(cores)}" for stage, cores in self.seats.items())
        figures = self.figures
        return (
            f"{where}: ready after {figures.ready_ms:.0f} ms, answer after {figures.answer_ms:.0f} ms, "
            f"gaps {figures.gaps_ms:.0f} ms, {figures.memory_mb:.0f} MB"
        )


def place(folder: Path) -> Path:
    """The file in a folder."""
    return folder / FILE


def recall(board: Board, folder: Path) -> Board:
    """The board with the seats of its plan; as it is where there is none that fits it. Why not, is said.

    A plan is never a reason not to start.
    """
    path = place(folder)
    if not path.is_file():
        return board
    try:
        plan = load(path)
        if (reason := outdated(plan, board)) is not None:
            log.warning("%s: %s; `epsilon plan` measures anew", path, reason)
            return board
        return board.with_stages(plan.stages)
    except (ConfigError, OSError) as mistake:
        log.warning("the plan is left out: %s", mistake)
        return board


def fits(board: Board, folder: Path) -> bool:
    """Whether `recall` would follow a plan: one that is broken or outdated counts for nothing."""
    try:
        plan = load(place(folder))
        board.with_stages(plan.stages)
    except (ConfigError, OSError):
        return False
    return outdated(plan, board) is None


def load(path: Path) -> Plan:
    """The plan in a file; ConfigError with everything that is wrong with it."""
    problems = Problems()
    table = read(path, problems)
    plan = read_table(Plan, table, problems, given={"where": table})
    problems.raise_if_any()
    for stage in plan.stages.items:
        if stage not in MODELS:
            problems.add(f"a plan moves no '{stage}', only {', '.join(MODELS)}", plan.stages.keys[stage])
    problems.raise_if_any()
    return plan


def outdated(plan: Plan, board: Board) -> str | None:
    """Why a plan is not for this board as it is now; None when it is, or when somebody pinned it."""
    if plan.pinned:
        return None
    if plan.board != board.name:
        return f"is for the board '{plan.board}'"
    if plan.machine != machine():
        return f"was measured on another machine ({plan.machine})"
    return None if plan.models == models(board) else "was measured with other models"


def machine() -> str:
    """What this machine is, as far as seats go."""
    return f"{os.cpu_count()} cores, {platform.machine()}"


def models(board: Board) -> dict[str, str]:
    """The models of a board that a plan seats, each with the beginning of its checksum."""
    named = {stage: board.stages[stage].model for stage in MODELS}
    return {stage: find_model(name).sha256[:DIGITS] for stage, name in named.items() if name is not None}


def keep(board: Board, tried: Sequence[Trial], folder: Path) -> Path:
    """Write the first of what was tried as the plan, whole or not at all; returns where. ConfigError says why not."""
    path = place(folder)
    figures = tried[0].figures
    if not (math.isfinite(figures.ready_ms) and math.isfinite(figures.answer_ms)):  # it gave no answer
        raise ConfigError("no seats could be tried", str(path), "why not is said above")
    unfinished = path.with_suffix(".unfinished")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(HEADER + "".join(f"{line}\n" for line in _lines(board, tried)))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(folder)
    except OSError as refusal:
        raise ConfigError(f"cannot be kept: {refusal.strerror}", str(path)) from refusal
    return path


def _lines(board: Board, tried: Sequence[Trial]) -> Iterator[str]:
    best, *others = tried
    yield f"board: {board.name}"
    yield "pinned: false"
    yield "stages:"
    yield from (f"  {stage}: {{cores: {list(cores)}}}" for stage, cores in best.seats.items())
    yield f"machine: {machine()}"
    yield "models:"
    yield from (f"  {stage}: '{digits}'" for stage, digits in models(board).items())
    yield "measured:"
    yield f"  ready: {best.figures.ready_ms:.1f} ms"
    yield f"  answer: {best.figures.answer_ms:.1f} ms"
    yield f"  gaps: {best.figures.gaps_ms:.1f} ms"
    yield f"  memory: {best.figures.memory_mb:.1f} MB"
    if others:
        yield "# Tried as well, the best first:"
    yield from (f"# {trial}" for trial in others)
