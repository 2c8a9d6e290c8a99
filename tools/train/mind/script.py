"""One character's written words: replies by intent, opinions, jokes, riddles and whole scenes."""

from dataclasses import dataclass
from pathlib import Path

from tools.train.mind.world import choices, read


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
    replies: dict[str, list[str]]
    opinions: dict[str, dict[str, str]]
    jokes: list[str]
    riddles: list[Riddle]
    riddle_replies: dict[str, list[str]]
    knock_knock: dict[str, str]
    scenes: list[list[tuple[list[str], list[str]]]]
    """Written scenes: turns in order, each a pair of user phrasings and replies."""


def load_script(folder: Path) -> Script:
    """Reads character.yaml and every dialogues*.yaml of a character's folder."""
    data: dict = {}
    scenes = []
    for path in sorted(folder.glob("dialogues*.yaml")):
        part = read(path)
        scenes += part.pop("scenes", [])
        data |= part
    persona = read(folder / "character.yaml")["persona"]
    riddles = [Riddle(r["q"], r["a"], choices(r["ok"], "/")) for r in data["riddles"]]
    outcomes = ("riddle_right", "riddle_wrong", "riddle_give_up")
    return Script(
        name=folder.name,
        persona=" ".join(persona.split()),
        kin=data["kin"],
        replies={intent: choices(text, "|") for intent, text in data["intents"].items()},
        opinions=data["opinions"],
        jokes=data["jokes"],
        riddles=riddles,
        riddle_replies={name: choices(data[name], "|") for name in outcomes},
        knock_knock=data["knock_knock"],
        scenes=[
            [(choices(user, "/"), choices(reply, "|")) for user, reply in scene.items()] for scene in scenes
        ],
    )
