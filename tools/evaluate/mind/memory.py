"""What the user told, asked for again: a name after other turns, a pet, an age, a colour; a dish of a country."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, sample, share, shown
from tools.evaluate.mind.questions import to_the_point
from tools.train.mind.world import World, load_world

SAID = Path(__file__).with_name("memory.yaml")
AFTER_TURNS = (1, 3, 6)
NAMES = 24  # of those that the toy's world knows
FACT_AFTER_TURNS = 2
PLACES = {0: "asked at once", 1: "one turn between"}


@dataclass(frozen=True)
class Recalled:
    """What was told, how often something else was said, and the reply to the question."""

    told: str
    between: int
    asked: str
    reply: str
    right: bool


def measure(cast: Cast, quick: bool) -> Figures:
    """Names inside and outside of the world's list, the other facts, and dishes of countries."""
    said, world = yaml.safe_load(SAID.read_text(encoding="utf-8")), load_world()
    known = world.words["names"]
    listed = known[:: max(1, len(known) // NAMES)][:NAMES]
    unlisted = [name for name in said["name"]["outside"] if name not in known]
    kinds = {"listed": sample(listed, quick), "unlisted": sample(unlisted, quick)}
    found = {
        **{f"name_{kind}": _names(cast, said, names) for kind, names in kinds.items()},
        **{f"name_{kind}_plain": _plain_names(cast, said, names) for kind, names in kinds.items()},
        "facts": [_fact(cast, said, row, place) for place, row in enumerate(sample(said["facts"], quick))],
    }
    return {
        "name_listed": _by_turns(found["name_listed"]),
        "name_unlisted": _by_turns(found["name_unlisted"]),
        "name_plain": {kind: share(row.right for row in found[f"name_{kind}_plain"]) for kind in kinds},
        "facts": share(row.right for row in found["facts"]),
        "dishes": _dishes(cast, said["country"], world, quick),
        "dishes_plain": _dishes(cast, said["country"] | {"asked": [said["country"]["plain"]]}, world, quick),
        "forgotten": [asdict(row) for rows in found.values() for row in rows if not row.right],
    }


def _by_turns(found: Sequence[Recalled]) -> Figures:
    return {str(turns): share(row.right for row in found if row.between == turns) for turns in AFTER_TURNS}


def _plain_names(cast: Cast, said: dict, names: Sequence[str]) -> list[Recalled]:
    ways = said["name"] | {"asked": [said["name"]["plain"]]}
    return _names(cast, said | {"name": ways}, names, AFTER_TURNS[-1:])


def _names(
    cast: Cast, said: dict, names: Sequence[str], after: Sequence[int] = AFTER_TURNS
) -> list[Recalled]:
    ways = said["name"]
    return [
        _recall(
            cast,
            place + turns,
            (
                ways["told"][place % len(ways["told"])].format(name=name),
                ways["asked"][(place + turns) % len(ways["asked"])],
            ),
            random.Random(1000 * turns + place).sample(said["between"], turns),
            name,
        )
        for turns in after
        for place, name in enumerate(names)
    ]


def _fact(cast: Cast, said: dict, row: dict, place: int) -> Recalled:
    between = random.Random(place).sample(said["between"], FACT_AFTER_TURNS)
    return _recall(cast, place, (row["told"], row["asked"][0]), between, row["point"])


def _recall(
    cast: Cast, place: int, told_and_asked: tuple[str, str], between: list[str], point: str
) -> Recalled:
    """One conversation: told, other turns, asked."""
    told, asked = told_and_asked
    chatter = cast.begin(CHARACTERS[place % len(CHARACTERS)])
    for turn in [told, *between]:
        chatter.answer(turn)
    reply = chatter.answer(asked)
    return Recalled(told, len(between), asked, reply, to_the_point(reply, rf"{point}\b"))


def names_dish(reply: str, dishes: Sequence[str]) -> bool:
    """Whether a reply names one of the dishes, or what comes first in it: `noodles` of `noodles and rice`."""
    main = [dish.split(" and ")[0] for dish in dishes]
    return any(re.search(rf"\b{re.escape(dish)}", reply, re.IGNORECASE) for dish in main)


def _dishes(cast: Cast, ways: dict, world: World, quick: bool) -> Figures:
    found: dict[int, list[bool]] = {0: [], 1: []}
    missed = []
    for place, (country, facts) in enumerate(sample(list(world.facts["countries"].items()), quick)):
        chatter, between = cast.begin(CHARACTERS[place % 2]), place // 2 % 2
        turns = [ways["named"][place % len(ways["named"])].format(country=country)]
        turns += [ways["between"][place % len(ways["between"])]] * between
        turns.append(ways["asked"][place // 3 % len(ways["asked"])])
        reply = [chatter.answer(turn) for turn in turns][-1]
        right = names_dish(reply, facts[1:3])
        found[between].append(right)
        if not right:
            missed.append({"turns": turns, "reply": reply, "dishes": facts[1:3]})
    places = {name: share(found[between]) for between, name in PLACES.items()}
    return {"all": share(found[0] + found[1]), **places, "missed": missed}


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    for key, what in (("name_listed", "names of the world's list"), ("name_unlisted", "other names")):
        for turns, counted in found[key].items():
            wanted = ">= 95 %" if key == "name_listed" and turns == "6" else ""
            yield Row(f"{what}, after {turns} other turns", shown(counted), wanted)
        plain = found["name_plain"][key.removeprefix("name_")]
        yield Row(f"  after {AFTER_TURNS[-1]}, asked in training's words", shown(plain))
    yield Row(f"pet, age, colour, after {FACT_AFTER_TURNS} other turns", shown(found["facts"]))
    yield Row("country to dish", shown(found["dishes"]["all"]), ">= 90 %")
    for name in PLACES.values():
        yield Row(f"  {name}", shown(found["dishes"][name]))
    yield Row("  asked in training's words", shown(found["dishes_plain"]["all"]))


def details(found: Figures) -> Iterator[str]:
    """What was forgotten, and what was said instead."""
    for row in found["forgotten"]:
        yield f"forgot: {row['told']} / {row['between']} other turns / {row['asked']} -> {row['reply'] or '(silent)'}"
    for row in found["dishes"]["missed"]:
        yield f"dish: {' / '.join(row['turns'])} -> {row['reply'] or '(silent)'} ({' or '.join(row['dishes'])})"
