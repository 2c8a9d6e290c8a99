"""The second pass over a board file: what depends on the whole, and on which modules and models there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epsilon.config import folders, machine_checks
from epsilon.config.document import Problems
from epsilon.config.models import Model, read_manifest
from epsilon.errors import nearest

if TYPE_CHECKING:
    from epsilon.config.board import Board, StageSettings

# Which folder of epsilon/engines/ a stage's engine comes from; the other stages run no engine.
ENGINE_FOLDERS = {"capture": "echo", "vad": "vad", "asr": "asr", "llm": "llm", "tts": "tts"}
MODEL_STAGES = ("asr", "llm", "tts")  # their engines need a model and a runtime
NPU_RUNTIME = "rknn"  # the runtime whose stages name NPU cores
NPU_CORE_SETS = ((0,), (1,), (2,), (0, 1), (0, 1, 2))  # what the RK3588's runtime library can give one model
GPU_DEVICE = "opencl"


def check(board: Board, problems: Problems) -> None:
    """Everything wrong with a board that was read goes to `problems`."""
    _check_name(board.character, "character", folders.character_names(), board.place("character"), problems)
    devices = folders.loadable_names("devices")
    _check_name(board.audio.device, "device", devices, board.place("audio", "device"), problems)
    for stage, settings in board.stages.items():
        _check_cores(board, stage, settings, problems)
        _check_accelerator(board, stage, settings, problems)
        _check_engine(board, stage, settings, problems)
    _check_npu_shared(board, problems)
    _check_end_of_turn(board, problems)
    machine_checks.check(board, problems)


def _check_name(name: str, kind: str, known: list[str], where: str, problems: Problems) -> None:
    if name not in known:
        problems.add(f"no {kind} '{name}'{nearest(name, known)}", where)


def _check_cores(board: Board, stage: str, settings: StageSettings, problems: Problems) -> None:
    where = board.place("stages", stage, "cores")
    if len(set(settings.cores)) < len(settings.cores):
        problems.add("a core is listed twice", where)
    machine_checks.check_cores(board.soc, settings.cores, where, problems)


def _check_accelerator(board: Board, stage: str, settings: StageSettings, problems: Problems) -> None:
    """What a stage's model computes on must be on the chip, where the chip is known."""
    _check_npu_cores(board, stage, settings, problems)
    soc = board.soc
    if not soc.core_ids:
        return
    if settings.device == GPU_DEVICE and soc.gpu is None:
        where = board.place("stages", stage, "device")
        problems.add(f"{soc.name} has no GPU for '{GPU_DEVICE}'; there are: cpu", where)
    if settings.runtime != NPU_RUNTIME:
        return
    if soc.npu is None:
        others = [name for name in _runtimes_for(stage) if name != NPU_RUNTIME]
        where = board.place("stages", stage, "runtime")
        problems.add(f"{soc.name} has no NPU for '{NPU_RUNTIME}'; there are: {', '.join(others)}", where)
    elif soc.npu_cores and any(core >= soc.npu_cores for core in settings.npu_cores):
        there = machine_checks.as_range(tuple(range(soc.npu_cores)))
        where = board.place("stages", stage, "npu_cores")
        problems.add(f"the NPU's cores are {there}", where, f"nearest: {soc.npu_cores - 1}")


def _check_npu_shared(board: Board, problems: Problems) -> None:
    """An NPU core belongs to one stage: two that share one would wait for each other's whole graphs."""
    owners: dict[int, str] = {}
    for stage, settings in board.stages.items():
        for core in settings.npu_cores:
            if core in owners:
                free = [str(one) for one in range(board.soc.npu_cores or 3) if one not in _claimed(board)]
                where = board.place("stages", stage, "npu_cores")
                problems.add(
                    f"NPU core {core} belongs to stage '{owners[core]}'; free: {', '.join(free) or 'none'}",
                    where,
                )
            owners.setdefault(core, stage)


def _claimed(board: Board) -> set[int]:
    return {core for settings in board.stages.values() for core in settings.npu_cores}


def _check_npu_cores(board: Board, stage: str, settings: StageSettings, problems: Problems) -> None:
    if settings.runtime != NPU_RUNTIME:
        if settings.npu_cores:
            where = board.place("stages", stage, "npu_cores")
            problems.add(f"npu_cores are for the runtime {NPU_RUNTIME}", where)
    elif not settings.npu_cores:
        where = board.place("stages", stage, "runtime")
        problems.add(f"the runtime {NPU_RUNTIME} needs the key 'npu_cores', say [0]", where)
    elif settings.npu_cores not in NPU_CORE_SETS:
        possible = " or ".join(str(list(cores)) for cores in NPU_CORE_SETS)
        problems.add(f"no such set of NPU cores: {possible}", board.place("stages", stage, "npu_cores"))


def _check_engine(board: Board, stage: str, settings: StageSettings, problems: Problems) -> None:
    folder = ENGINE_FOLDERS.get(stage)
    for key in ("engine", "model", "runtime"):
        wanted = folder is not None and (key == "engine" or stage in MODEL_STAGES)
        if key == "runtime" and wanted and not _runs_graphs(stage, settings):
            continue  # it may stand there, so that only the engine and the model need to be changed
        given = getattr(settings, key) is not None
        if given and not wanted:
            problems.add(f"stage '{stage}' takes no {key}", board.place("stages", stage, key))
        if wanted and not given:
            problems.add(f"stage '{stage}' needs the key '{key}'", board.place("stages", stage))
    engines = folders.loadable_names("engines", folder) if folder else []
    if folder and settings.engine:
        where = board.place("stages", stage, "engine")
        _check_name(settings.engine, f"engine for {stage}", engines, where, problems)
    if settings.runtime:
        where = board.place("stages", stage, "runtime")
        _check_name(settings.runtime, f"runtime for {stage}", _runtimes_for(stage), where, problems)
    if settings.model and stage in MODEL_STAGES:
        where = board.place("stages", stage, "model")
        engine = settings.engine if settings.engine in engines else None
        _check_model(settings.model, stage, engine, where, problems)


def _runtimes_for(stage: str) -> list[str]:
    return folders.loadable_names("runtimes", function="load_decoder" if stage == "llm" else "load")


def _check_end_of_turn(board: Board, problems: Problems) -> None:
    """The engine in `turn`, with its model and runtime where it runs a graph."""
    rule = board.turn
    engines = folders.loadable_names("engines", "endpoint")
    _check_name(rule.engine, "engine for turn", engines, board.place("turn", "engine"), problems)
    if rule.engine not in engines:
        return
    runs_graphs = folders.needs_runtime("endpoint", rule.engine)
    for key in ("model", "runtime"):
        given = getattr(rule, key) is not None
        if runs_graphs and not given:
            problems.add(f"the engine '{rule.engine}' needs the key '{key}'", board.place("turn"))
        if given and not runs_graphs:
            problems.add(f"the engine '{rule.engine}' takes no {key}", board.place("turn", key))
    if rule.runtime:
        where = board.place("turn", "runtime")
        _check_name(rule.runtime, "runtime for turn", _runtimes_for("turn"), where, problems)
    if rule.model:
        _check_model(rule.model, "endpoint", rule.engine, board.place("turn", "model"), problems)


def _runs_graphs(stage: str, settings: StageSettings) -> bool:
    known = folders.loadable_names("engines", ENGINE_FOLDERS[stage])
    return settings.engine not in known or folders.needs_runtime(ENGINE_FOLDERS[stage], settings.engine)


def _check_model(name: str, kind: str, engine: str | None, where: str, problems: Problems) -> None:
    rows = read_manifest()
    row = rows.get(name)
    if row is None:
        problems.add(f"no model '{name}' in models/manifest.yaml{nearest(name, rows)}", where)
    elif row.kind != kind:
        problems.add(f"model '{name}' is for {row.kind}, not for {kind}", where, _fitting(rows, kind))
    elif engine is not None and row.engine != engine:
        problems.add(f"model '{name}' is for the engine '{row.engine}'", where)


def _fitting(rows: dict[str, Model], kind: str) -> str:
    return f"for {kind}: " + (", ".join(name for name, row in rows.items() if row.kind == kind) or "none")
