"""Simulated users: each is a YAML file; what they say next follows from that, the last reply and a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from epsilon.config.document import Problems, read
from epsilon.config.fields import read_table, setting
from epsilon.errors import ConfigError, nearest

FOLDER = Path(__file__).parent
SAY, INTERRUPT, WAIT, COUGH = "say", "interrupt", "wait", "cough"


@dataclass(frozen=True)
class Persona:
    """Somebody who talks to the toy. Shares are of their turns, the rest are `asks`."""

    name: str
    about: str = setting("who it is, in one line")
    asks: tuple[str, ...] = setting("questions and remarks")
    called: str = setting("the name they tell, as the ears know it")
    voice: str = setting("a style of the pocket voice: the ears were trained on none of them", "low")
    level_db: float = setting("how loud their loudest sample is, of full scale", -6.0, low=-60, high=0)
    turns: int = setting("in a visit", 8, low=1, high=1000)
    away_ms: float = setting("between two visits", 240_000.0, low=0, high=36_000_000)
    thinks_ms: float = setting("between two turns, about", 1_500.0, low=0, high=600_000)
    greets: tuple[str, ...] = setting("how a visit begins", ("hello",))
    answers: tuple[str, ...] = setting("to whatever the toy asks", ("yes",))
    rude: tuple[str, ...] = setting("unkind things", ())
    leaves: tuple[str, ...] = setting("how a visit ends", ("goodbye",))
    answering_percent: float = setting("of the toy's questions are answered", 60.0, low=0, high=100)
    rudeness_percent: float = setting("unkind turns", 0.0, low=0, high=100)
    changing_percent: float = setting("turns in which they change their mind", 5.0, low=0, high=100)
    interrupting_percent: float = setting("turns that begin while the toy speaks", 5.0, low=0, high=100)
    mishearing_percent: float = setting("turns in which they ask what was said", 5.0, low=0, high=100)
    silence_percent: float = setting("turns in which they say nothing", 5.0, low=0, high=100)
    coughing_percent: float = setting("turns in which they only cough", 0.0, low=0, high=100)
    tells_name: bool = setting("tells its name early in a visit, and asks for it at the end", False)


@dataclass(frozen=True)
class Act:
    """What somebody does next: after `after_ms` (of silence, or of the toy's speech), with these words."""

    kind: str
    text: str = ""
    after_ms: float = 0.0


class User:
    """One persona in its visits; alike for the same seed and the same replies."""

    def __init__(self, persona: Persona, seed: int) -> None:
        self.persona = persona
        self._rng = random.Random(f"{seed} {persona.name}")
        self._turn = 0

    @property
    def leaves(self) -> bool:
        """The visit is over."""
        return self._turn > self.persona.turns

    def come(self) -> None:
        """A new visit."""
        self._turn = 0

    def act(self, reply: str) -> Act:
        """What they do after a reply; '' where there was none."""
        who, turn = self.persona, self._turn
        self._turn += 1
        thinks_ms = self._rng.expovariate(1 / who.thinks_ms) if who.thinks_ms else 0.0
        if turn == 0:
            return Act(SAY, self._one(who.greets), thinks_ms)
        if turn == who.turns:
            return Act(SAY, "what is my name" if who.tells_name else self._one(who.leaves), thinks_ms)
        if turn == 1 and who.tells_name:
            return Act(SAY, f"my name is {who.called}", thinks_ms)
        kind = self._drawn()
        if kind == "silent":
            return Act(WAIT, after_ms=2_000 + thinks_ms)
        if kind == COUGH:
            return Act(COUGH, after_ms=thinks_ms)
        if kind == INTERRUPT:
            return Act(INTERRUPT, self._words(kind, reply), 300 + self._rng.random() * 1_500)
        return Act(SAY, self._words(kind, reply), thinks_ms)

    def _drawn(self) -> str:
        who = self.persona
        kinds = {
            "rude": who.rudeness_percent if who.rude else 0.0,
            "changes": who.changing_percent,
            INTERRUPT: who.interrupting_percent,
            "mishears": who.mishearing_percent,
            "silent": who.silence_percent,
            COUGH: who.coughing_percent,
        }
        point = 100 * self._rng.random()
        for kind, share in kinds.items():
            point -= share
            if point < 0:
                return kind
        return "plain"

    def _words(self, kind: str, reply: str) -> str:
        who = self.persona
        if kind == "rude":
            return self._one(who.rude)
        if kind == "mishears":
            return "what did you say"
        if kind == "changes":
            first = self._one(who.asks).split()
            return f"{' '.join(first[: len(first) // 2 + 1])} no wait {self._one(who.asks)}"
        if reply.rstrip().endswith("?") and 100 * self._rng.random() < who.answering_percent:
            return self._one(who.answers)
        return self._one(who.asks)

    def _one(self, lines: tuple[str, ...]) -> str:
        return self._rng.choice(lines)


def names() -> list[str]:
    """Every persona there is."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_persona(name: str) -> Persona:
    """The persona of that name. ConfigError lists everything wrong with its file."""
    if name not in names():
        raise ConfigError(f"no user '{name}'{nearest(name, names())}")
    problems = Problems()
    persona = read_table(Persona, read(FOLDER / f"{name}.yaml", problems), problems, given={"name": name})
    problems.raise_if_any()
    return persona
