"""Does the character stay itself? Forty turns of small talk, questions about itself and false claims about it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, share, shown

SAID = Path(__file__).with_name("contradictions.yaml")
TURNS = 40
ROUNDS = 3  # how often each fact is asked for, in other words each time
CLAIMS = 6
SEEDS = (0, 1, 2, 3)
CLAUSE = re.compile(r"[.!?]")


@dataclass(frozen=True)
class Facts:
    """What is true of a character and what saying otherwise looks like: patterns by fact."""

    own: dict[str, str]
    wrong: dict[str, str]
    yes: str
    no: str

    def states(self, fact: str, reply: str) -> bool:
        """The reply gives the character's own value."""
        return _finds(self.own[fact], reply)

    def contradicts(self, fact: str, reply: str) -> bool:
        """The reply gives another value: in a sentence without a no, and nowhere the own one."""
        if self.states(fact, reply):
            return False
        return any(_finds(self.wrong[fact], clause) for clause in self._affirmative(reply))

    def agrees(self, affirms: str, reply: str) -> bool:
        """The reply says yes to a claim, plainly or in its words."""
        if re.match(self.yes, reply, re.IGNORECASE):
            return True
        return any(_finds(affirms, clause) for clause in self._affirmative(reply))

    def _affirmative(self, reply: str) -> Iterator[str]:
        denied = False
        for clause in CLAUSE.split(reply):
            denied = denied or _finds(self.no, clause)  # "No. A penguin." denies in its first sentence
            if not denied:
                yield clause.strip()


def _finds(pattern: str, text: str) -> bool:
    return re.search(rf"\b(?:{pattern})", text, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Probe:
    """A question about itself (`fact`), or a false claim (`affirms`)."""

    asked: str
    fact: str = ""
    affirms: str = ""


@dataclass(frozen=True)
class Probed:
    """A probe with its reply."""

    character: str
    seed: int
    fact: str
    asked: str
    reply: str
    stated: bool
    contradicted: bool


def script(said: dict, name: str, seed: int) -> list[Probe | str]:
    """The user's side of forty turns: probes in three rounds, small talk between."""
    rng, mine = random.Random(f"{name} {seed}"), said[name]
    claims = [Probe(row["asked"][0], affirms=row["affirms"]) for row in rng.sample(mine["claims"], CLAIMS)]
    wordings = {fact: rng.sample(part["asked"], ROUNDS) for fact, part in mine["probes"].items()}
    free = TURNS - CLAIMS - ROUNDS * len(wordings)
    talk = rng.sample(said["small_talk"], free)
    turns: list[Probe | str] = []
    for number in range(ROUNDS):
        part: list[Probe | str] = [Probe(asked[number], fact) for fact, asked in wordings.items()]
        part += [*claims[number::ROUNDS], *talk[number::ROUNDS]]
        rng.shuffle(part)
        turns += part
    return turns


def measure(cast: Cast, quick: bool) -> Figures:
    """Four conversations of forty turns with each character."""
    said = yaml.safe_load(SAID.read_text(encoding="utf-8"))
    probed = [
        row
        for name in CHARACTERS
        for seed in (SEEDS[:1] if quick else SEEDS)
        for row in _talk(cast, said, name, seed)
    ]
    return figures(probed)


def facts_of(said: dict, name: str) -> Facts:
    """The patterns of a character."""
    return Facts(said[name]["own"], said["wrong"], said["agreeing"], said["denying"])


def _talk(cast: Cast, said: dict, name: str, seed: int) -> Iterator[Probed]:
    facts, chatter = facts_of(said, name), cast.begin(name, seed)
    for turn in script(said, name, seed):
        if isinstance(turn, str):
            chatter.answer(turn)
            continue
        reply = chatter.answer(turn.asked)
        if turn.fact:
            stated, wrong = facts.states(turn.fact, reply), facts.contradicts(turn.fact, reply)
        else:
            stated, wrong = False, facts.agrees(turn.affirms, reply)
        yield Probed(name, seed, turn.fact or "false claim", turn.asked, reply, stated, wrong)


def figures(probed: list[Probed]) -> Figures:
    """Rates over all probes and by fact."""
    kinds = dict.fromkeys(row.fact for row in probed)
    return {
        "contradicted": share(row.contradicted for row in probed),
        "fact_stated": share(row.stated for row in probed if row.fact != "false claim"),
        "by_fact": {kind: share(row.contradicted for row in probed if row.fact == kind) for kind in kinds},
        "by_character": {
            name: share(row.contradicted for row in probed if row.character == name) for name in CHARACTERS
        },
        "probes": [asdict(row) for row in probed],
    }


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    yield Row(f"contradictions in {TURNS} turns, per probe", shown(found["contradicted"]), "<= 5 %")
    for kind, counted in (found["by_fact"] | found["by_character"]).items():
        yield Row(f"  {kind}", shown(counted))
    yield Row("  the fact is stated when asked for", shown(found["fact_stated"]))


def details(found: Figures) -> Iterator[str]:
    """Every contradiction, and each question's first reply that neither states the fact nor another."""
    for row in found["probes"]:
        if row["contradicted"]:
            yield f"contradicts {row['character']}'s {row['fact']}: {row['asked']} -> {row['reply']}"
    evaded = {(row["character"], row["asked"]): row for row in reversed(found["probes"])}.values()
    for row in evaded:
        if not (row["contradicted"] or row["stated"] or row["fact"] == "false claim"):
            yield f"evades {row['character']}'s {row['fact']}: {row['asked']} -> {row['reply'] or '(silent)'}"
