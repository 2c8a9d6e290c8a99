"""Writes the dialogues that the mind is trained on: scenes in a row, for each character, from one seed."""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.evaluate.mind.held_out import held_out_texts
from tools.train.mind import games, memory, scenes
from tools.train.mind.script import Script, load_script
from tools.train.mind.talk import Talk, Turn
from tools.train.mind.world import World, load_world
from tools.train.text.sentences import Sentences
from tools.train.text.sentences import load as load_sentences

ROOT = Path(__file__).resolve().parents[3]
CHARACTERS = ("odette", "bram")
_QUESTIONS_BEGIN = frozenset(
    ("what", "who", "where", "when", "why", "how", "which", "is", "are", "does", "do", "can", "did", "will")
)
_STATEMENTS_BEGIN = frozenset(("i", "i'm", "my", "we", "he", "she", "the", "there", "it", "it's"))

_SCENES: tuple[tuple[scenes.Scene, float], ...] = (
    (scenes.intent, 30),
    (scenes.written, 26),
    (scenes.animal, 12),
    (scenes.country, 9),
    (scenes.food, 9),
    (memory.tell, 7),
    (memory.recall, 5),
    (scenes.follow_up, 10),
    (games.numbers, 4),
    (scenes.topic, 5),
    (games.joke, 3),
    (games.riddle, 3),
    (scenes.colour, 3),
    (scenes.job, 3),
    (scenes.verb, 4),
    (scenes.opposite, 2),
    (scenes.story, 3),
    (games.knock, 0.7),
    (scenes.gibberish, 3),
    (scenes.silence, 5),
    (scenes.nowhere, 0.5),
)


@dataclass(frozen=True)
class Dialogue:
    """A character's persona and the turns of one conversation."""

    character: str
    persona: str
    turns: list[Turn]


def held_out_questions() -> frozenset[str]:
    """The exact words that evaluation asks and training must never show."""
    return held_out_texts()


@dataclass
class Writer:
    """Draws dialogues without end; the same seed gives the same dialogues."""

    world: World
    scripts: list[Script]
    sentences: Sentences
    held_out: frozenset[str]
    rng: random.Random

    def dialogues(self) -> Iterator[Dialogue]:
        while True:
            script = self.scripts[self.rng.randrange(len(self.scripts))]
            turns = self._turns(script)
            if turns:
                yield Dialogue(script.name, script.persona, turns)

    def _turns(self, script: Script) -> list[Turn]:
        talk = Talk(self.rng, self.world, script, self.held_out)
        wanted = self.rng.choices((1, 2, 3, 4, 5, 6, 7, 8, 12), (6, 10, 14, 14, 12, 10, 8, 8, 4))[0]
        if self.rng.random() < 0.25:
            memory.tell(talk)
        elif self.rng.random() < 0.2:
            talk.say("greet")
        while len(talk.turns) < wanted:
            self._one_scene(talk)
        if "name" in talk.memory and self.rng.random() < 0.35:
            memory.recall_name_late(talk)
        return talk.turns

    def _one_scene(self, talk: Talk) -> None:
        if self.rng.random() < 0.05:
            self._stray(talk)
            return
        functions, weights = zip(*_SCENES, strict=True)
        self.rng.choices(functions, weights)[0](talk)
        if self.rng.random() < 0.12:
            scenes.follow_up(talk)

    def _stray(self, talk: Talk) -> None:
        """A sentence from outside the scripts: the character answers kindly without knowing more."""
        said = self.sentences.draw(self.rng, random_words=False)
        first = said.split()[0]
        if first in _QUESTIONS_BEGIN:
            talk.add(said, self.rng.choice(talk.script.replies["stray_question"]))
        elif first in _STATEMENTS_BEGIN:
            talk.add(said, self.rng.choice(talk.script.replies["stray_statement"]))


def make_writer(seed: int, held_out: frozenset[str] | None = None) -> Writer:
    scripts = [load_script(ROOT / "characters" / name) for name in CHARACTERS]
    taken = held_out_questions() if held_out is None else held_out
    return Writer(load_world(), scripts, load_sentences(), taken, random.Random(seed))


def write(path: Path, seed: int, count: int) -> None:
    """`count` dialogues as JSON lines: [character, persona, [[user, reply], …]]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = make_writer(seed).dialogues()
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            dialogue = next(drawn)
            turns = [[turn.user, turn.reply] for turn in dialogue.turns]
            file.write(json.dumps([dialogue.character, dialogue.persona, turns], ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60_000)
    options = parser.parse_args()
    write(options.out, options.seed, options.count)


if __name__ == "__main__":
    main()
