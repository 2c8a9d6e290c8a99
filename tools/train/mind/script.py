"""One character's written words: replies by intent, opinions, jokes, riddles and whole scenes."""

import re
from dataclasses import dataclass
from pathlib import Path

from tools.train.mind.world import choices, read

Scene = list[tuple[list[str], list[str]]]
_MARK = re.compile(r"<(?:other|peer)> ")


@dataclass(frozen=True)
class Riddle:
    question: str
    answer: str
    accepted: list[str]


@dataclass(frozen=True)
class Script:
    """What tools/train/mind needs of characters/<name>/: the persona and the dialogues."""

    name: str
    persona: str
    kin: str
    gender: str
    truths: frozenset[str]
    """Words that a false claim about the character must not contain."""
    replies: dict[str, list[str]]
    opinions: dict[str, dict[str, str]]
    jokes: list[str]
    riddles: list[Riddle]
    riddle_replies: dict[str, list[str]]
    knock_knock: dict[str, str]
    scenes: list[Scene]
    """Written scenes: turns in order, each a pair of user phrasings and replies."""


def heard(line: str) -> list[str]:
    """The ways to say a written user line; a mark at its beginning (`<other> a / b`) holds for all of them."""
    found = _MARK.match(line)
    mark = found.group() if found else ""
    return [way if _MARK.match(way) else mark + way for way in choices(line, "/")]


def _joined(folder: Path) -> tuple[dict, list[Scene]]:
    """Every dialogues*.yaml as one: scenes one after another, replies to the same intent together."""
    data: dict = {}
    scenes: list[Scene] = []
    for path in sorted(folder.glob("dialogues*.yaml")):
        part = read(path)
        scenes += [
            [(heard(user), choices(reply, "|")) for user, reply in scene.items()]
            for scene in part.pop("scenes", [])
        ]
        for intent, replies in part.pop("intents", {}).items():
            known = data.setdefault("intents", {}).setdefault(intent, [])
            known += choices(replies, "|")
        data |= part
    return data, scenes


def load_script(folder: Path) -> Script:
    """Reads character.yaml and every dialogues*.yaml of a character's folder."""
    data, scenes = _joined(folder)
    persona = read(folder / "character.yaml")["persona"]
    riddles = [Riddle(r["q"], r["a"], choices(r["ok"], "/")) for r in data["riddles"]]
    outcomes = ("riddle_right", "riddle_wrong", "riddle_give_up")
    return Script(
        name=folder.name,
        persona=" ".join(persona.split()),
        kin=data["kin"],
        gender=data["gender"],
        truths=frozenset(choices(data["truths"], "|")),
        replies=data["intents"],
        opinions=data["opinions"],
        jokes=data["jokes"],
        riddles=riddles,
        riddle_replies={name: choices(data[name], "|") for name in outcomes},
        knock_knock=data["knock_knock"],
        scenes=scenes,
    )
