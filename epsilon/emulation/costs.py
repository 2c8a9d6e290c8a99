"""What a stage's engine costs on a board: its own row where the board has one, else the measured one, scaled."""

from __future__ import annotations

from dataclasses import replace

from epsilon.config.board import Board, load_board
from epsilon.config.machine import Cost
from epsilon.errors import ConfigError, nearest

MEASURED_ON = "host"  # the board whose rows are measured, on the machine that has speed 1
FREE = Cost(source="too little to be counted")


def cost_of(board: Board, stage: str) -> Cost:
    """What the engine of a stage costs; ConfigError where nobody has measured its model.

    A row that is scaled is for a core of speed 1: the seat's cores scale it. An accelerator core counts as much as
    the board's fastest core, which is what has been seen where both were measured with one network.
    """
    settings = board.stages[stage]
    found = _row(board, settings.engine, settings.model)
    if found is None:
        on = "npu" if settings.npu_cores else "gpu" if settings.device == "opencl" else "cpu"
        measured = _row(load_board(MEASURED_ON), settings.engine, settings.model)
        return _scaled(board, measured, on) if measured else _free(board, stage)
    return found


def cost_of_end(board: Board) -> Cost:
    """What the engine that finds the end of a turn costs for a window of 32 ms."""
    rule = board.turn
    for place in (board, load_board(MEASURED_ON)):
        found = _row(place, rule.engine, rule.model)
        if found is not None:
            return found
    return FREE


def _row(board: Board, engine: str | None, model: str | None) -> Cost | None:
    return board.costs.get(model or engine or "")


def _free(board: Board, stage: str) -> Cost:
    """An engine without a model need have no row; a model must."""
    settings = board.stages[stage]
    if settings.model is None:
        return FREE
    known = sorted({*board.costs, *load_board(MEASURED_ON).costs})
    raise ConfigError(
        f"nobody has said what the model '{settings.model}' costs{nearest(settings.model, known)}",
        board.place("stages", stage, "model"),
        "give it a row in the board's `costs`, measured by `python -m tools.bench.board --measure`",
    )


def _scaled(board: Board, cost: Cost, on: str) -> Cost:
    """A measured row for this board; on cores it is their speed that scales it."""
    if on == "cpu":
        return cost
    fastest = max((kind.speed for kind in board.soc.cores.values()), default=1.0)
    return replace(
        cost,
        on=on,
        pass_ms=cost.pass_ms / fastest,
        second_ms=cost.second_ms / fastest,
        prefill_ms=cost.prefill_ms / fastest,
        token_ms=cost.token_ms / fastest,
        source=f"scaled from the row of the board '{MEASURED_ON}'",
    )
