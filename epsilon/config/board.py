"""A board file: one piece of hardware, what runs on which of its cores, and the budget it must keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from epsilon.config import board_checks, folders
from epsilon.config.character import HANDS_FREE, LISTEN
from epsilon.config.document import Problems, Table, Text, nowhere, read
from epsilon.config.fields import read_table, setting
from epsilon.config.machine import MOST_CORES, Body, Cost, Image, Ladder, Soc, System
from epsilon.config.mending import mended
from epsilon.errors import ConfigError, nearest

BODY_STAGE = "body"


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
    duck_ms: float = setting("speech at which the toy holds its breath", 32.0, low=32, high=1_000)
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
    sure: float = setting("the same while the toy speaks: who may be interrupting it", 0.65, low=0, high=1)


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
        "last sample of speech to first of the answer", 1_500.0, low=1, high=3_600_000
    )
    memory_mb: float = setting("resident memory of the process", 600.0, low=50, high=64_000)
    idle_cpu_percent: float = setting("of one core while nobody speaks", 1.0, low=0.01, high=100)
    stuck_ms: float = setting(
        "a stage that works on one thing for longer is stuck: the toy is restarted", 5_000.0, 500, 3_600_000
    )


@dataclass(frozen=True)
class Board:
    """A board, read from boards/<name>.yaml."""

    name: str
    path: Path
    character: str = setting("who lives in it unless another is asked for: a folder of characters/")
    audio: Audio = setting("the sound card")
    stages: dict[str, StageSettings] = setting("every stage, each with its seat and engine")
    soc: Soc = setting("the chip", Soc)
    costs: dict[str, Cost] = setting("what models, and engines without one, cost on this board", dict)
    system: System = setting("what is asked of the operating system", System)
    turn: TurnRule = setting("when the user's speech begins and ends", TurnRule)
    body: Body = setting("buttons, light and battery", Body)
    ladder: Ladder = setting("what happens when the battery is low or the chip is hot", Ladder)
    budget: Budget = setting("what the board must not exceed", Budget)
    image: Image = setting("what `make image` builds for it", Image)
    where: Table = field(default_factory=nowhere, repr=False, compare=False)

    def place(self, *keys: str) -> str:
        """Where in the file a key stands: place('stages', 'asr', 'model') is 'boards/host.yaml:9:40'."""
        return self.where.place(*keys)

    def with_stages(self, stages: Table) -> Board:
        """This board with a table like its `stages` laid over them. ConfigError as of `load_board`."""
        problems = Problems()
        table = Table({"stages": stages}, {}, self.where.where).over(self.where)
        if stages is self.ladder.smaller:  # there is no smaller one than that
            table = table.without("ladder", "smaller")
        return _checked(table, self.path, problems)


def load_board(name: str) -> Board:
    """The board of that name, or in that file ('….yaml'). ConfigError lists everything wrong with it."""
    problems = Problems()
    path = Path(name) if name.endswith((".yaml", ".yml")) else _board_path(name, where="")
    table = _with_bases(path, problems, seen=())
    return _checked(table, path, problems)


def _checked(table: Table, path: Path, problems: Problems) -> Board:
    """The board that a whole table describes."""
    board = _read(table, path, problems)
    if problems.found:
        _check_the_rest(table, path, problems)
    else:
        board_checks.check(board, problems)
    problems.raise_if_any()
    return board


def _check_the_rest(table: Table, path: Path, problems: Problems) -> None:
    """What the second pass finds where the first one found nothing: people mend it all in one go."""
    rest, lost = mended(table, {mistake.where for mistake in problems.found})
    stages = rest.items.get("stages")
    if isinstance(stages, Table) and any(stage.where in lost for stage in stages.items.values()):
        rest = rest.without("ladder", "smaller")  # it is laid over whole stages
    second = Problems()
    board = _read(rest, path, second)
    if second.found:
        return  # what is needed is among the broken
    board_checks.check(board, second)
    problems.found += [mistake for mistake in second.found if mistake.where not in lost]


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
            if stage == BODY_STAGE:  # it may be left out: any core will do
                stages.items.setdefault(stage, Table({}, {}, stages.where))
            elif stage not in stages.items:
                problems.add(f"stage '{stage}' is missing: every stage is listed", stages.where)
    return read_table(Board, table, problems, given={"name": path.stem, "path": path, "where": table})
