"""A board in tables: what its file comes to, who sits on which core, what runs where, memory, what is missing."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from epsilon.config import folders
from epsilon.config.board import Board, StageSettings
from epsilon.config.document import Listing, Table, Text
from epsilon.config.machine_checks import models_of, size_mb
from epsilon.config.models import measure, read_manifest

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # as Linux calls them, as Debian does
NPU_RUNTIME = "rknn"
# What must be installed for a runtime, a card or a body, where it is not the module's own name.
PACKAGES = {
    "onnx": "onnxruntime",
    "mlc": "tvm",
    "rknn": "rknnlite",
    "portaudio": "sounddevice",
    "gpio": "gpiozero",
    "wav": "numpy",
    "none": "numpy",
}
NPU_LIBRARY = Path("/usr/lib/librknnrt.so")
GAP = "  "
LONGEST_VALUE = 60


def tables(board: Board) -> Iterator[str]:
    """Everything there is to say of a board, line by line."""
    yield f"the board {board.name}; every key it does not name has the default of `epsilon check --reference`"
    yield from _aligned(resolved(board.where))
    yield "who sits on which core"
    yield from _aligned(seats(board))
    yield "what runs where"
    yield from _aligned(placements(board))
    yield "memory"
    yield from _aligned(memory(board))
    absent = list(missing(board))
    yield "what is missing here" if absent else "nothing is missing here"
    yield from (f"{GAP}{line}" for line in absent)


def resolved(table: Table, above: str = "") -> Iterator[Sequence[str]]:
    """A row for each table of plain values and file that gives some of them: the file, the table, the values."""
    files: dict[str, list[str]] = {}
    for key, node in table.items.items():
        if not isinstance(node, Table):
            file = node.where.partition(":")[0]
            files.setdefault(file, []).append(f"{key}: {_written(node)}")
    yield from ((file, above, ", ".join(entries)) for file, entries in files.items())
    for key, node in table.items.items():
        if isinstance(node, Table):
            yield from resolved(node, f"{above}.{key}" if above else key)


def _written(node: Listing | Text) -> str:
    """A value as it may be written in a file; prose is cut short."""
    if isinstance(node, Listing):
        return f"[{', '.join(_written(item) for item in node.items if not isinstance(item, Table))}]"
    text = " ".join(node.value.split())
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def seats(board: Board) -> Iterator[Sequence[str]]:
    """A row for each core with the stages on it, and one for the stages that may run anywhere."""
    named = {core for stage in board.stages.values() for core in stage.cores}
    for core in board.soc.core_ids or sorted(named):
        sitting = [_sitter(name, stage) for name, stage in board.stages.items() if core in stage.cores]
        yield (f"core {core}", _kind(board, core), ", ".join(sitting) or "free")
    for core in range(board.soc.npu_cores):
        owners = [name for name, stage in board.stages.items() if core in stage.npu_cores]
        yield (f"NPU core {core}", board.soc.npu or "", ", ".join(owners) or "free")
    anywhere = [_sitter(name, stage) for name, stage in board.stages.items() if not stage.cores]
    if anywhere:
        yield ("any core", "", ", ".join(anywhere))


def _sitter(name: str, stage: StageSettings) -> str:
    return f"{name} (real time, priority {stage.priority})" if stage.priority else name


def _kind(board: Board, core: int) -> str:
    name = board.soc.kind_of(core)
    if name is None:
        return "unknown machine"
    kind = board.soc.cores[name]
    clock = f" {kind.clock_mhz:g} MHz" if kind.clock_mhz else ""
    return f"{name}: {kind.kind or name}{clock}, speed {kind.speed:g}"


def placements(board: Board) -> Iterator[Sequence[str]]:
    """A row for each stage that runs an engine: engine, model, runtime, what it computes on."""
    for name, stage in board.stages.items():
        if stage.engine:
            yield (name, stage.engine, stage.model or "no model", stage.runtime or "", computes_on(stage))
    rule = board.turn
    yield ("turn", rule.engine, rule.model or "no model", rule.runtime or "", "CPU, beside vad")


def computes_on(stage: StageSettings) -> str:
    """What a stage's model computes on."""
    if stage.npu_cores:
        cores = ", ".join(map(str, stage.npu_cores))
        return f"NPU core {cores}" if len(stage.npu_cores) == 1 else f"NPU cores {cores}"
    if stage.device != "cpu":
        return f"GPU ({stage.device})"
    threads = len(stage.cores)
    return f"CPU, {threads} threads" if threads > 1 else "CPU"


def memory(board: Board) -> Iterator[Sequence[str]]:
    """A row for each model by the size of its files, which is the least it takes, then what there is."""
    rows, total_mb = read_manifest(), 0.0
    for name in models_of(board):
        if name in rows:
            total_mb += size_mb(rows[name])
            yield (name, f"{size_mb(rows[name]):.1f} MB in files")
    yield ("all models", f"{total_mb:.1f} MB of a budget of {board.budget.memory_mb:g} MB for the process")
    if board.soc.memory_mb is not None:
        yield (board.soc.name, f"{board.soc.memory_mb:g} MB")


def missing(board: Board) -> Iterator[str]:
    """What this machine would need to be that board, and the image to be built."""
    if is_elsewhere(board):
        yield f"the machine: {board.soc.name} is {board.soc.architecture}, this one is {here()}"
    yield from _missing_models(board)
    yield from _missing_packages(board)
    yield from _missing_inputs(board)


def here() -> str:
    """This machine's architecture, as Debian calls it."""
    return MACHINES.get(platform.machine(), platform.machine())


def is_elsewhere(board: Board) -> bool:
    """Whether the board is another kind of machine than this one."""
    return board.soc.architecture not in (None, here())


def _missing_models(board: Board) -> Iterator[str]:
    rows = read_manifest()
    for name in models_of(board):
        row = rows.get(name)
        if row is not None and not all((row.folder / file).is_file() for file in row.files):
            yield f"model {name}: its files are not all in {folders.shown(row.folder)}"


def _missing_packages(board: Board) -> Iterator[str]:
    runtimes = {stage.runtime for stage in board.stages.values()} | {board.turn.runtime}
    wanted = {name for name in runtimes if name} | {board.audio.device, board.body.hardware}
    for name in sorted(wanted):
        package = PACKAGES.get(name, name)
        if importlib.util.find_spec(package) is None:
            yield f"{name}: the package {package} is not installed"
    if NPU_RUNTIME in wanted and not NPU_LIBRARY.is_file():
        yield f"{NPU_RUNTIME}: the NPU's library {NPU_LIBRARY}"


def _missing_inputs(board: Board) -> Iterator[str]:
    for name, wanted in board.image.inputs.items():
        path = folders.input_path(board.name, wanted.file)
        place = f"image, {name}: {folders.shown(path)}"
        if not path.is_file():
            yield f"{place} ({wanted.source})"
        elif wanted.sha256 is None:
            yield f"{place} has no sha256 in the board file; it is {measure(path).sha256}"
        elif measure(path).sha256 != wanted.sha256:
            yield f"{place} is not the file meant: expected sha256 {wanted.sha256}"


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns stand below each other."""
    kept = list(rows)
    columns = max((len(row) for row in kept), default=0)
    widths = [max((len(row[at]) for row in kept if at < len(row)), default=0) for at in range(columns)]
    for row in kept:
        yield (GAP + GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))).rstrip()
