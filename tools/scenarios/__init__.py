"""Scenarios: what is played to a toy when, and what must or must not happen within how much audio time.

A scenario is a YAML file. Its steps are done one after the other:

- `say: words` (by `voice`, a style of the pocket voice; at `level`), `sound: kind` of tools/sounds or `television`
  (`lasting`), `pause: 700 ms`, `hand: press | release | mute | unmute`;
- `expect: event` (`within`) and `absent: event` (`lasting`); `contains` looks into what was heard.

`faults` break something while that goes on: `- {name: unplugged, at: 4 s, for: 3 s}`, see epsilon/emulation/faults.

Time is that of the samples. `within` counts from the end of the last sound for what answers it (`reply`, `end`,
`over` …), from its start for what reacts to it (`duck`, `stop`, `revision`). Each event is met once, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from epsilon.config.document import Problems, Table, nowhere, read
from epsilon.config.fields import read_table, setting
from tools.sounds import MAKERS

FOLDER = Path(__file__).parent.parent.parent / "tests" / "scenarios"
TELEVISION = "television"
EVENTS = {  # what scenarios call it: what the stages call it
    "reply": ("answer", "opener"),
    "end": ("end of turn",),
    "silence": ("silent",),
    "ignored": ("ignored",),
    "over": ("heard",),
    "words": ("words",),
    "resume": ("resumes",),
    "murmur": ("murmurs",),
    "speech": ("speech",),
    "duck": ("ducks",),
    "stop": ("cut",),
    "revision": ("goes on",),
    "waste": ("discarded",),
    "light": ("light",),
    "standing": ("standing",),
    "power off": ("power off",),
    "card gone": ("card gone",),
    "card back": ("card back",),
    "death": ("died", "not born", "killed"),
    "trouble": ("trouble",),
    "birth": ("born",),
}
REACTIONS = frozenset(("speech", "duck", "stop", "revision", "murmur", "waste", "light"))
HANDS = ("press", "release", "mute", "unmute", "louder", "quieter")


@dataclass(frozen=True)
class Step:
    """One line of a scenario: one of say, sound, pause, hand, expect and absent, and what belongs to it."""

    say: str | None = setting("words of the user", None)
    voice: str = setting("a style of the pocket voice", "low")
    sound: str | None = setting("a sound of a home", None, choices=(*MAKERS, TELEVISION))
    level_db: float = setting("the loudest sample, of full scale", -6.0, low=-80, high=0)
    pause_ms: float = setting("silence", 0.0, low=0, high=600_000)
    hand: str | None = setting("what a hand does to the toy", None, choices=HANDS)
    expect: str | None = setting("must happen", None, choices=tuple(EVENTS))
    within_ms: float = setting("so soon", 2_000.0, low=0, high=120_000)
    absent: str | None = setting("must not happen", None, choices=tuple(EVENTS))
    lasting_ms: float = setting("so long", 1_000.0, low=0, high=600_000)
    contains: str | None = setting("what the event's text must contain", None)
    lacks: str | None = setting("what the event's text must not contain", None)


@dataclass(frozen=True)
class Totals:
    """What must be true at the end; -1 asks nothing."""

    turns: int = setting("in which something was understood or said", -1, low=-1)
    ducks: int = setting("how often the toy held its breath", -1, low=-1)
    cuts: int = setting("how often it was interrupted", -1, low=-1)
    revisions: int = setting("how often the user went on within a turn", -1, low=-1)
    deaths: int = setting("how often a toy died and was started again", 0, low=0)
    kept_volume: int = setting("what the next toy would find on its disk, in steps", -1, low=-1)
    history: str | None = setting("must be in what the mind remembers", None)
    forgotten: str | None = setting("must not be in what the mind remembers", None)


@dataclass(frozen=True)
class Scenario:
    """A scenario, read from a file."""

    path: Path
    about: str = setting("what it shows, in one line")
    steps: tuple[Step, ...] = setting("what is done and expected, in order")
    character: str = setting("who is talked to", "odette")
    listen: str = setting(
        "what is for the toy", "hands_free", choices=("hands_free", "push_to_talk", "by_name")
    )
    echo: bool = setting("the toy's microphone hears its speaker, at -6 dB in a room", False)
    totals: Totals = setting("what must be true at the end", Totals)
    faults: tuple[Table, ...] = setting("what goes wrong on purpose: `name` and options of each", ())
    needs: str = setting("what is missing for it: it is known to fail", "")
    where: Table = field(default_factory=nowhere, repr=False, compare=False)


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file. ConfigError lists everything wrong with it."""
    problems = Problems()
    table = read(path, problems)
    scenario = read_table(Scenario, table, problems, given={"path": path, "where": table})
    problems.raise_if_any()
    return scenario


def scenarios() -> list[Path]:
    """All scenario files, by name."""
    return sorted(FOLDER.rglob("*.yaml"))
