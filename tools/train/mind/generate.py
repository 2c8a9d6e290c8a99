"""Writes the dialogues that the mind is trained on: scenes in a row, for each character, from one seed."""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path

from tools.evaluate.mind.held_out import held_out_texts
from tools.train.mind import games, memory, overhearing, plain, scenes, wording
from tools.train.mind.script import Script, load_script
from tools.train.mind.talk import Talk, Turn
from tools.train.mind.world import World, load_world
from tools.train.text.sentences import Sentences
from tools.train.text.sentences import load as load_sentences

ROOT = Path(__file__).resolve().parents[3]
CHARACTERS = ("odette", "bram")
# What the scripts do answer: words about the toy, about the one who speaks, and sums.
_ANSWERED = frozenset("you your you're yours my epsilon plus minus times".split())
_ABOUT_MYSELF = ("i ", "i'm ", "we ")
LINES = 8  # single lines that are written for each dialogue: only what they mean is learnt from them
_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16)
_LENGTH_WEIGHTS = (18, 10, 8, 9, 10, 11, 12, 13, 12, 9, 6)

_SCENES: tuple[tuple[scenes.Scene, float], ...] = (
    (plain.intent, 105),
    (scenes.written, 52),
    (scenes.animal, 13),
    (scenes.country, 12),
    (scenes.food, 8),
    (memory.tell, 14),
    (memory.recall, 10),
    (scenes.follow_up, 9),
    (games.numbers, 24),
    (scenes.topic, 5),
    (games.joke, 2.5),
    (games.riddle, 2.5),
    (scenes.colour, 2.5),
    (scenes.job, 2.5),
    (scenes.verb, 3.5),
    (scenes.opposite, 2),
    (scenes.story, 2.5),
    (plain.self_fact, 6),
    (games.knock, 0.7),
    (scenes.gibberish, 4),
    (overhearing.silence, 33),
    (overhearing.addressed, 6),
    (overhearing.called_by_other, 1),
    (overhearing.peer, 1.5),
    (scenes.nowhere, 0.5),
)
_FUNCTIONS = [scene for scene, _ in _SCENES]
_CUMULATED = list(accumulate(weight for _, weight in _SCENES))


@dataclass(frozen=True)
class Dialogue:
    """A character's persona and the turns of one conversation."""

    character: str
    persona: str
    turns: list[Turn]


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

    def lines(self) -> list[Turn]:
        """Some first turns of conversations, each for itself and without its reply."""
        drawn: list[Turn] = []
        while len(drawn) < LINES:
            talk = Talk(self.rng, self.world, self.rng.choice(self.scripts), self.held_out)
            self._one_scene(talk)
            drawn += [replace(turn, reply="") for turn in talk.turns[:1] if turn.label]
        return drawn

    def _turns(self, script: Script) -> list[Turn]:
        talk = Talk(self.rng, self.world, script, self.held_out)
        wanted = self.rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
        if self.rng.random() < 0.3:
            talk.about = self.rng.choice(list(plain.SELF_FACTS))
        if wanted > 2 and self.rng.random() < 0.3:
            talk.say("greet")
        if wanted > 2 and self.rng.random() < 0.36:
            memory.tell_name(talk)
        while len(talk.turns) < wanted:
            self._one_scene(talk)
        if "name" in talk.memory and self.rng.random() < 0.45:
            memory.recall_name(talk)
        return talk.turns

    def _one_scene(self, talk: Talk) -> None:
        if self.rng.random() < 0.04:
            self._stray(talk)
            return
        self.rng.choices(_FUNCTIONS, cum_weights=_CUMULATED)[0](talk)
        if self.rng.random() < 0.12:
            scenes.follow_up(talk)
        memory.recall_told(talk)
        if talk.about and self.rng.random() < 0.15:
            plain.self_fact(talk)

    def _stray(self, talk: Talk) -> None:
        """A sentence from outside the scripts: the character answers kindly without knowing more."""
        said = self.sentences.draw(self.rng, random_words=False)
        if _ANSWERED & set(said.split()) or said in self.world.known:
            return
        if wording.is_question(said):
            talk.add(said, self.rng.choice(talk.script.replies["stray_question"]), "stray_question")
        elif said.startswith(_ABOUT_MYSELF):
            talk.add(said, self.rng.choice(talk.script.replies["stray_statement"]), "stray_statement")


def make_writer(seed: int, held_out: frozenset[str] | None = None) -> Writer:
    scripts = [load_script(ROOT / "characters" / name) for name in CHARACTERS]
    taken = held_out_texts() if held_out is None else held_out
    return Writer(load_world(), scripts, load_sentences(), taken, random.Random(seed))


def write(path: Path, seed: int, count: int) -> None:
    """`count` dialogues as JSON lines: [character, persona, [[user, reply, label], …]].

    Behind each stand some single lines, without character, persona and replies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = make_writer(seed)
    drawn = writer.dialogues()
    with path.open("w", encoding="utf-8") as file:
        for dialogue in islice(drawn, count):
            for one in (dialogue, Dialogue("", "", writer.lines())):
                turns = [[turn.user, turn.reply, turn.label] for turn in one.turns]
                file.write(json.dumps([one.character, one.persona, turns], ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60_000)
    options = parser.parse_args()
    write(options.out, options.seed, options.count)


if __name__ == "__main__":
    main()
