"""A board file: one piece of hardware, what runs on which of its cores, and the budget it must keep."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from epsilon.config import folders
from epsilon.config.character import HANDS_FREE, LISTEN
from epsilon.config.document import Problems, Table, Text, nowhere, read
from epsilon.config.fields import read_table, setting
from epsilon.config.models import read_manifest
from epsilon.errors import ConfigError, nearest

# Which folder of epsilon/engines/ a stage's engine comes from; the other stages run no engine.
ENGINE_FOLDERS = {"capture": "echo", "vad": "vad", "asr": "asr", "llm": "llm", "tts": "tts"}
MODEL_STAGES = ("asr", "llm", "tts")  # their engines need a model and a runtime
MOST_CORES = 256
PIN = re.compile(r"GPIO\d+|BOARD\d+|J\d+:\d+|WPI\d+|\d+")  # as gpiozero names pins
NPU_RUNTIME = "rknn"  # the runtime whose stages name NPU cores
NPU_CORE_SETS = ((0,), (1,), (2,), (0, 1), (0, 1, 2))  # what the RK3588's runtime library can give one model


@dataclass(frozen=True)
class Audio:
    """The sound card and how sound is handed over."""

    device: str = setting("the module of epsilon/devices that drives the card")
    card: str = setting("part of the card's name; 'default' is the system's choice", "default")
    rate_hz: int = setting("frames a second at the card", 16_000, low=8_000, high=192_000)
    block_ms: float = setting("sound handed over at once", 10.0, low=2, high=100)
    lead_ms: float = setting("sound kept ahead of the speaker", 60.0, low=10, high=500)

    @property
    def block_frames(self) -> int:
        """Frames handed over at once."""
        return round(self.rate_hz * self.block_ms / 1000)

    @property
    def lead_frames(self) -> int:
        """Frames kept ahead of the speaker."""
        return round(self.rate_hz * self.lead_ms / 1000)


@dataclass(frozen=True)
class TurnRule:
    """When the user's speech begins and ends."""

    listen: str = setting("what is for the toy, where its character does not say", HANDS_FREE, choices=LISTEN)
    engine: str = setting("the module of epsilon/engines/endpoint: how the end of a turn is found", "silence")
    model: str | None = setting("its model, a name in models/manifest.yaml", None)
    runtime: str | None = setting("the module of epsilon/runtimes that runs it", None)
    silence_ms: float = setting(
        "silence that ends a turn of which nothing better is known", 600.0, low=100, high=5_000
    )
    longest_silence_ms: float = setting("silence that ends any turn", 1_600.0, low=200, high=10_000)
    prepare_ms: float = setting(
        "silence after which an answer is prepared, unheard", 100.0, low=32, high=1_000
    )
    tries: int = setting("answers prepared in one turn at most", 4, low=0, high=100)
    hop_ms: float = setting("how often the words so far are recognised", 320.0, low=100, high=2_000)
    min_speech_ms: float = setting("shorter sounds are no speech", 96.0, low=0, high=1_000)
    duck_ms: float = setting("speech at which the toy holds its breath", 64.0, low=32, high=1_000)
    interrupt_ms: float = setting(
        "speech that interrupts the toy even where no word was understood", 480.0, low=64, high=5_000
    )
    opener_after_ms: float = setting(
        "a recorded opener sounds where thinking of the first words takes so long", 80.0, low=0, high=5_000
    )
    attention: bool = setting("the character's fillers and murmurs may sound", True)
    filler_after_ms: float = setting(
        "a filler sounds where the answer will take longer than this", 700.0, low=0, high=60_000
    )
    threshold: float = setting("speech probability that counts as voice", 0.5, low=0, high=1)


@dataclass(frozen=True)
class Body:
    """What hands can reach. Pins are named as gpiozero names them."""

    hardware: str = setting("the module of epsilon/hardware", "none")
    talk_button: str | None = setting("the pin of the talk button", None)
    mute_switch: str | None = setting("the pin of the switch that turns the microphone off", None)


@dataclass(frozen=True)
class StageSettings:
    """Where a stage sits and what it runs."""

    cores: tuple[int, ...] = setting(
        "cores of its thread and its model's; none: any", (), low=0, high=MOST_CORES - 1
    )
    priority: int = setting("real-time priority, 0 is the normal scheduler", 0, low=0, high=99)
    engine: str | None = setting("the module of epsilon/engines/<kind>", None)
    model: str | None = setting("a name in models/manifest.yaml", None)
    runtime: str | None = setting("the module of epsilon/runtimes", None)
    device: str = setting("what the runtime mlc computes on", "cpu", choices=("cpu", "opencl"))
    npu_cores: tuple[int, ...] = setting("NPU cores of the model, for the runtime rknn", (), low=0, high=2)


@dataclass(frozen=True)
class Budget:
    """What the board must not exceed."""

    first_answer_ms: float = setting(
        "last sample of speech to first of the answer", 1_500.0, low=1, high=60_000
    )
    memory_mb: float = setting("resident memory of the process", 600.0, low=50, high=64_000)
    idle_cpu_percent: float = setting("of one core while nobody speaks", 2.0, low=0.01, high=100)


@dataclass(frozen=True)
class Board:
    """A board, read from boards/<name>.yaml."""

    name: str
    path: Path
    character: str = setting("who lives in it unless another is asked for: a folder of characters/")
    audio: Audio = setting("the sound card")
    stages: dict[str, StageSettings] = setting("every stage, each with its seat and engine")
    core_count: int = setting("how many cores the board has; 0: unknown", 0, low=0, high=MOST_CORES)
    turn: TurnRule = setting("when the user's speech begins and ends", TurnRule)
    body: Body = setting("button and switch", Body)
    budget: Budget = setting("what the board must not exceed", Budget)
    where: Table = field(default_factory=nowhere, repr=False, compare=False)

    def place(self, *keys: str) -> str:
        """Where in the file a key stands: place('stages', 'asr', 'model') is 'boards/host.yaml:9:40'."""
        return self.where.place(*keys)


def load_board(name: str) -> Board:
    """The board of that name, or in that file ('….yaml'). ConfigError lists everything wrong with it."""
    problems = Problems()
    path = Path(name) if name.endswith((".yaml", ".yml")) else _board_path(name, where="")
    table = _with_bases(path, problems, seen=())
    board = _read(table, path, problems)
    problems.raise_if_any()
    _check(board, problems)
    problems.raise_if_any()
    return board


def _board_path(name: str, where: str) -> Path:
    if name not in folders.board_names():
        raise ConfigError(f"no board '{name}'{nearest(name, folders.board_names())}", where)
    return folders.root() / "boards" / f"{name}.yaml"


def _with_bases(path: Path, problems: Problems, seen: tuple[Path, ...]) -> Table:
    """The file's table laid over the one it extends, and so on down."""
    table = read(path, problems)
    base = table.items.pop("extends", None)
    if base is None:
        return table
    if not isinstance(base, Text):
        raise ConfigError("`extends` names one board", base.where)
    below = _board_path(base.value, base.where)
    if below in (*seen, path):
        raise ConfigError(f"extends itself by way of '{base.value}'", base.where)
    return table.over(_with_bases(below, problems, (*seen, path)))


def _read(table: Table, path: Path, problems: Problems) -> Board:
    stages = table.items.get("stages")
    if isinstance(stages, Table):
        known = folders.module_names("stages")
        for stage in stages.items:
            if stage not in known:
                problems.add(f"no stage '{stage}'{nearest(stage, known)}", stages.keys[stage])
        for stage in known:
            if stage not in stages.items:
                problems.add(f"stage '{stage}' is missing: every stage is listed", stages.where)
    return read_table(Board, table, problems, given={"name": path.stem, "path": path, "where": table})


def _check(board: Board, problems: Problems) -> None:
    """The second pass: what depends on the whole, and on which modules, characters and models there are."""
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
    too_high = [core for core in settings.cores if board.core_count and core >= board.core_count]
    if too_high:
        problems.add(f"no core {too_high[0]}: the board's cores are 0 to {board.core_count - 1}", where)


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
    for key in ("talk_button", "mute_switch"):
        pin = getattr(body, key)
        if pin is None:
            continue
        where = board.place("body", key)
        if body.hardware == "none":
            problems.add(f"a {key} needs `hardware`, say gpio", where)
        elif not PIN.fullmatch(pin):
            problems.add(f"no pin '{pin}': GPIO17, BOARD11 or J8:11", where)
    if body.talk_button is not None and body.talk_button == body.mute_switch:
        problems.add(f"pin '{body.mute_switch}' is the talk button", board.place("body", "mute_switch"))


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
