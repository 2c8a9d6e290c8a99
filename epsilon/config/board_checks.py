"""The second pass over a board file: what depends on the whole, and on which modules and models there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from epsilon.config import folders
from epsilon.config.document import Problems
from epsilon.config.models import read_manifest
from epsilon.errors import nearest

if TYPE_CHECKING:
    from epsilon.config.board import Board, StageSettings

# Which folder of epsilon/engines/ a stage's engine comes from; the other stages run no engine.
ENGINE_FOLDERS = {"capture": "echo", "vad": "vad", "asr": "asr", "llm": "llm", "tts": "tts"}
MODEL_STAGES = ("asr", "llm", "tts")  # their engines need a model and a runtime
PIN = re.compile(r"GPIO\d+(?:_[A-D][0-7])?|BOARD\d+|J\d+:\d+|WPI\d+|\d+")  # as gpiozero names pins
NPU_RUNTIME = "rknn"  # the runtime whose stages name NPU cores
NPU_CORE_SETS = ((0,), (1,), (2,), (0, 1), (0, 1, 2))  # what the RK3588's runtime library can give one model


def check(board: Board, problems: Problems) -> None:
    """Everything wrong with a board that was read goes to `problems`."""
    _check_name(board.character, "character", folders.character_names(), board.place("character"), problems)
    devices = folders.loadable_names("devices")
    _check_name(board.audio.device, "device", devices, board.place("audio", "device"), problems)
    for stage, settings in board.stages.items():
        _check_cores(board, stage, settings, problems)
        _check_npu_cores(board, stage, settings, problems)
        _check_engine(board, stage, settings, problems)
    _check_end_of_turn(board, problems)
    _check_body(board, problems)


def _check_name(name: str, kind: str, known: list[str], where: str, problems: Problems) -> None:
    if name not in known:
        problems.add(f"no {kind} '{name}'{nearest(name, known)}", where)


def _check_cores(board: Board, stage: str, settings: StageSettings, problems: Problems) -> None:
    where = board.place("stages", stage, "cores")
    if len(set(settings.cores)) < len(settings.cores):
        problems.add("a core is listed twice", where)
    there = board.soc.core_ids
    for core in settings.cores:
        if there and core not in there:
            problems.add(f"no core {core}: the board's cores are {_run(there)}", where)


def _run(cores: tuple[int, ...]) -> str:
    """Core numbers as people say them: '0 to 3', or one by one where some are left out."""
    whole = cores == tuple(range(cores[0], cores[-1] + 1)) and len(cores) > 1
    return f"{cores[0]} to {cores[-1]}" if whole else ", ".join(map(str, cores))


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
    if folder and settings.engine:
        where = board.place("stages", stage, "engine")
        engines = folders.loadable_names("engines", folder)
        _check_name(settings.engine, f"engine for {stage}", engines, where, problems)
    if settings.runtime:
        loader = "load_decoder" if stage == "llm" else "load"
        _check_runtime(settings.runtime, stage, board.place("stages", stage, "runtime"), problems, loader)
    if settings.model and stage in MODEL_STAGES:
        where = board.place("stages", stage, "model")
        _check_model(settings.model, stage, settings.engine, where, problems)


def _check_runtime(name: str, what: str, where: str, problems: Problems, loader: str = "load") -> None:
    able = folders.loadable_names("runtimes", function=loader)
    _check_name(name, f"runtime for {what}", able, where, problems)


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
        _check_runtime(rule.runtime, "turn", board.place("turn", "runtime"), problems)
    if rule.model:
        _check_model(rule.model, "endpoint", rule.engine, board.place("turn", "model"), problems)


def _check_body(board: Board, problems: Problems) -> None:
    body = board.body
    kinds = folders.loadable_names("hardware")
    _check_name(body.hardware, "hardware", kinds, board.place("body", "hardware"), problems)
    taken: dict[str, str] = {}
    for keys, pin in body.pins():
        where, use = board.place("body", *keys), " ".join(reversed(keys)).replace("_", " ")
        if body.hardware == "none":
            problems.add(f"a {use} needs `hardware`, say gpio", where)
        elif not PIN.fullmatch(pin):
            problems.add(f"no pin '{pin}': GPIO17, GPIO4_B3, BOARD11 or J8:11", where)
        if pin in taken:
            problems.add(f"pin '{pin}' is the {taken[pin]}", where)
        taken.setdefault(pin, use)


def _runs_graphs(stage: str, settings: StageSettings) -> bool:
    known = folders.loadable_names("engines", ENGINE_FOLDERS[stage])
    return settings.engine not in known or folders.needs_runtime(ENGINE_FOLDERS[stage], settings.engine)


def _check_model(name: str, kind: str, engine: str | None, where: str, problems: Problems) -> None:
    rows = read_manifest()
    row = rows.get(name)
    if row is None:
        problems.add(f"no model '{name}' in models/manifest.yaml{nearest(name, rows)}", where)
    elif row.kind != kind:
        fitting = ", ".join(name for name, other in rows.items() if other.kind == kind) or "none"
        problems.add(f"model '{name}' is for {row.kind}, not for {kind}", where, f"for {kind}: {fitting}")
    elif row.engine != engine:
        problems.add(f"model '{name}' is for the engine '{row.engine}'", where)
