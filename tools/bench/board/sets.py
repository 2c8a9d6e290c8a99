"""Model sets: what stands in sets.yaml, laid over a board."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from epsilon import planner
from epsilon.config.board import Board, StageSettings, load_board
from epsilon.config.document import Problems, Table, nowhere, read
from epsilon.config.fields import read_table, setting
from epsilon.config.machine import Cost
from epsilon.emulation.costs import cost_of
from epsilon.errors import ConfigError, nearest

FILE = Path(__file__).with_name("sets.yaml")
ACCELERATOR = ("npu_cores", "device")


@dataclass(frozen=True)
class ModelSet:
    """Models by what they cost and on what they run; on which cores, the planner says."""

    about: str = setting("what it is")
    board: str | None = setting("the board it is for; none: any", None)
    stages: dict[str, StageSettings] = setting("which of its models run on an accelerator", dict)
    costs: dict[str, Cost] = setting("what they cost, by stage", dict)


def sets() -> dict[str, ModelSet]:
    """All of them by name."""
    problems = Problems()
    table = read(FILE, problems)
    found = {
        name: read_table(ModelSet, entry if isinstance(entry, Table) else nowhere(), problems)
        for name, entry in table.items.items()
    }
    problems.raise_if_any()
    return found


def laid_over(name: str) -> tuple[Board, str]:
    """The board of that name, with the pocket models, or a set's board with the set; and what it is about."""
    known = sets()
    if name not in known:
        return load_board(name), known["pocket"].about
    chosen = known[name]
    if chosen.board is None:
        raise ConfigError(f"the set '{name}' is for any board: name one{nearest(name, known)}", str(FILE))
    board = load_board(chosen.board)
    stages = dict(board.stages)
    for stage, seat in chosen.stages.items():
        stages[stage] = replace(board.stages[stage], **{key: getattr(seat, key) for key in ACCELERATOR})
    costs = {stages[stage].model or stage: cost for stage, cost in chosen.costs.items()}
    return planned(replace(board, name=name, stages=stages, costs=board.costs | costs)), chosen.about


def planned(board: Board) -> Board:
    """The board with its models where the planner would put them: away from sound that has priority, and apart."""
    stages = tuple(planner.own_seats(board))
    costs = {stage: cost_of(board, stage) for stage in stages}
    seats = planner.by_expectation(board.soc, costs, stages, planner.reserved(board))[0]
    moved = {stage: replace(board.stages[stage], cores=cores) for stage, cores in seats.items()}
    return replace(board, stages=board.stages | moved)
