"""What is checked of a board apart from its stages: cores, pins, memory, ladder, costs and image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from epsilon.config import folders, pins
from epsilon.config.document import Problems
from epsilon.config.machine import Body, Soc
from epsilon.config.models import PULLED, Model, read_manifest
from epsilon.errors import ConfigError, nearest

if TYPE_CHECKING:
    from epsilon.config.board import Board

NO_HARDWARE = "none"
SHA256 = re.compile(r"[0-9a-f]{64}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # as Debian names its packages
KERNEL = "linux-image-"  # how Debian's kernels begin
MB = 1_000_000


def check(board: Board, problems: Problems) -> None:
    """Everything wrong with the parts of a board that are no stages."""
    _check_soc(board, problems)
    _check_system(board, problems)
    _check_body(board, problems)
    _check_costs(board, problems)
    _check_memory(board, problems)
    _check_image(board, problems)
    _check_ladder(board, problems)  # last: what is wrong with the whole board is told once


def check_cores(soc: Soc, cores: Iterable[int], where: str, problems: Problems) -> None:
    """Cores that a known chip lacks, each with the nearest that it has."""
    there = soc.core_ids
    for core in cores:
        if there and core not in there:
            close = min(there, key=lambda one: abs(one - core))
            problems.add(
                f"no core {core}: the board's cores are {as_range(there)}", where, f"nearest: {close}"
            )


def as_range(cores: tuple[int, ...]) -> str:
    """Core numbers as people say them: '0 to 3', or one by one where some are left out."""
    whole = cores == tuple(range(cores[0], cores[-1] + 1)) and len(cores) > 1
    return f"{cores[0]} to {cores[-1]}" if whole else ", ".join(map(str, cores))


def _check_soc(board: Board, problems: Problems) -> None:
    soc = board.soc
    owners: dict[int, str] = {}
    for name, kind in soc.cores.items():
        where = board.place("soc", "cores", name, "ids")
        if not kind.ids:
            problems.add("no core is listed", where)
        for core in kind.ids:
            if core in owners:
                problems.add(f"core {core} is one of '{owners[core]}'", where)
            owners.setdefault(core, name)
    if (soc.npu is None) != (soc.npu_cores == 0):
        problems.add("an NPU has the keys 'npu' and 'npu_cores'", board.place("soc"))


def _check_system(board: Board, problems: Problems) -> None:
    for name, cores in board.system.irqs.items():
        check_cores(board.soc, cores, board.place("system", "irqs", name), problems)


def _check_body(board: Board, problems: Problems) -> None:
    body = board.body
    kinds = folders.loadable_names("hardware")
    if body.hardware not in kinds:
        where = board.place("body", "hardware")
        problems.add(f"no hardware '{body.hardware}'{nearest(body.hardware, kinds)}", where)
    chips = board.soc.gpio
    if body.chip is not None and chips and body.chip not in chips:
        problems.add(f"no GPIO chip '{body.chip}'{nearest(body.chip, chips)}", board.place("body", "chip"))
        return  # every pin on it would be told as well
    taken: dict[object, str] = {}
    for keys, name in body.pins():
        where, use = board.place("body", *keys), " ".join(reversed(keys)).replace("_", " ")
        if body.hardware == NO_HARDWARE:
            problems.add(f"a {use} needs `hardware`, say gpio", where)
        pin = _pin(body, name, chips, where, problems)
        if pin is not None:
            same = (pin.chip, pin.line) if pin.line is not None else pin.name
            if same in taken:
                problems.add(f"pin '{name}' is the {taken[same]}", where)
            taken.setdefault(same, use)
    _check_knob(body, board.place("body", "volume_knob", "b"), problems)


def _check_knob(body: Body, where: str, problems: Problems) -> None:
    """Both contacts of a knob are watched by one chip: in what order they close is what it tells."""
    if body.volume_knob is None:
        return
    first, second = pins.find(body.volume_knob.a, body.chip), pins.find(body.volume_knob.b, body.chip)
    if first is not None and second is not None and first.chip != second.chip:
        problems.add(f"both pins of a knob are on one chip; '{first.name}' is on {first.chip}", where)


def _pin(body: Body, name: str, chips: dict[str, int], where: str, problems: Problems) -> pins.Pin | None:
    """A pin that there is on the board's chips; None after noting what is wrong with it."""
    try:
        pin = pins.parse(name, body.chip)
    except ValueError as mistake:
        problems.add(str(mistake), where)
        return None
    if not chips or pin.line is None:
        return pin
    if pin.chip is None:
        problems.add(f"pin '{name}' needs the key 'chip'{nearest(name, chips)}", where)
    elif pin.chip not in chips:
        problems.add(f"no GPIO chip '{pin.chip}' for pin '{name}'{nearest(pin.chip, chips)}", where)
    elif pin.line >= chips[pin.chip]:
        last = chips[pin.chip] - 1
        close = "" if "_" in name else f"nearest: GPIO{last}"
        problems.add(f"no pin '{name}': lines of {pin.chip} are 0 to {last}", where, close)
    else:
        return pin
    return None


def _check_ladder(board: Board, problems: Problems) -> None:
    ladder = board.ladder
    if ladder.critical_battery_percent >= ladder.low_battery_percent:
        where = board.place("ladder", "critical_battery")
        problems.add(f"should be below low_battery, {ladder.low_battery_percent:g} %", where)
    if ladder.cool_c >= ladder.hot_c:
        problems.add(f"should be below hot, {ladder.hot_c:g} °C", board.place("ladder", "cool"))
    if ladder.smaller.items:
        try:
            board.with_stages(ladder.smaller)
        except ConfigError as mistake:
            told = {str(one) for one in problems.found}
            found = [mistake.alone(), *mistake.others]
            problems.found += [one for one in found if str(one) not in told]


def _check_costs(board: Board, problems: Problems) -> None:
    known = [*read_manifest(), *folders.engine_names()]
    for name, cost in board.costs.items():
        if name not in known and not name.startswith(f"{PULLED}/"):
            problems.add(f"no model or engine '{name}'{nearest(name, known)}", board.where.key("costs", name))
        missing = {"npu": board.soc.npu, "gpu": board.soc.gpu}
        if board.soc.core_ids and cost.on in missing and missing[cost.on] is None:
            on = ["cpu", *(key for key, chip in missing.items() if chip is not None)]
            where = board.place("costs", name, "on")
            problems.add(f"{board.soc.name} has no {cost.on.upper()}{nearest(cost.on, on)}", where)


def _check_memory(board: Board, problems: Problems) -> None:
    """A model's files are the least it needs; the process must fit the budget and the budget the chip."""
    soc_mb, budget_mb = board.soc.memory_mb, board.budget.memory_mb
    if soc_mb is not None and budget_mb > soc_mb:
        where = board.place("budget", "memory")
        problems.add(f"{board.soc.name} has only {soc_mb:g} MB", where, f"nearest: {soc_mb:g} MB")
    rows = read_manifest()
    used = models_of(board)
    too_large = [name for name in used if name in rows and size_mb(rows[name]) > budget_mb]
    for name in too_large:
        row = rows[name]
        fitting = [other.name for other in rows.values() if _could_stand_for(other, row, budget_mb)]
        problems.add(
            f"model '{name}' needs {size_mb(row):.0f} MB and more; the budget is {budget_mb:g} MB",
            board.place(*used[name]),
            f"fitting: {', '.join(fitting) or 'none'}",
        )
    total_mb = sum(size_mb(rows[name]) for name in used if name in rows)
    if total_mb > budget_mb and not too_large:
        where = board.place("budget", "memory")
        problems.add(f"the models alone need {total_mb:.0f} MB", where, f"nearest: {total_mb:.0f} MB")


def models_of(board: Board) -> dict[str, tuple[str, ...]]:
    """The models in use, each with the keys under which it stands."""
    used: dict[str, tuple[str, ...]] = {
        stage.model: ("stages", name, "model")
        for name, stage in board.stages.items()
        if stage.model is not None
    }
    if board.turn.model is not None:
        used[board.turn.model] = ("turn", "model")
    return used


def size_mb(model: Model) -> float:
    """The size of a model's files, the least that it takes; of encoder.onnx and encoder.rknn only one is loaded."""
    least: dict[str, int] = {}
    for name, file in model.files.items():
        stem = Path(name).stem
        least[stem] = min(file.size, least.get(stem, file.size))
    return sum(least.values()) / MB


def _could_stand_for(other: Model, model: Model, limit_mb: float) -> bool:
    return other.kind == model.kind and 0 < size_mb(other) <= limit_mb


def _check_image(board: Board, problems: Problems) -> None:
    image = board.image
    for name, wanted in image.inputs.items():
        if wanted.sha256 is not None and not SHA256.fullmatch(wanted.sha256):
            where = board.place("image", "inputs", name, "sha256")
            problems.add("a sha256 has 64 digits from 0 to f, in small letters", where)
    for package in image.packages:
        _check_package(package, board.place("image", "packages"), problems)
    if image.kernel is None:
        return
    if image.kernel.startswith(KERNEL):
        _check_package(image.kernel, board.place("image", "kernel"), problems)
    if not image.kernel.startswith(KERNEL) and image.kernel not in image.inputs:
        known = [f"{KERNEL}{board.soc.architecture or 'amd64'}", *image.inputs]
        where = board.place("image", "kernel")
        problems.add(f"no kernel '{image.kernel}'{nearest(image.kernel, known)}", where)
    if board.soc.architecture is None:
        problems.add("an image needs the key 'architecture' in `soc`: amd64 or arm64", board.place("soc"))


def _check_package(name: str, where: str, problems: Problems) -> None:
    if not PACKAGE.fullmatch(name):
        problems.add(f"no package of Debian is named '{name}'", where)
