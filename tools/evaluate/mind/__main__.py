"""Measures the mind as the toy runs it: held-out questions, memory, context, silence, log-probability."""

import argparse
import json
import random
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from epsilon.config.character import Character, Sampling, load_character
from epsilon.config.models import Model
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.mistral import Mistral, load
from epsilon.engines.llm.sampler import Sampler
from epsilon.realtime import Seat
from epsilon.runtimes import onnx as onnx_runtime
from tools.train.mind.generate import CHARACTERS, ROOT, Dialogue, make_writer

QUESTIONS = Path(__file__).with_name("questions.yaml")
DEVELOPMENT_SEED = 3
RECALL_AFTER_TURNS = (1, 3, 6)


def load_mind(folder: Path) -> Mistral:
    """The engine of the toy on any folder in the form of models/pocket/mind."""
    model = Model("mind", folder, "llm", "mistral", licence="-", source="-", made_by="-", files={})
    return load(model, onnx_runtime, Seat())


@dataclass
class Chatter:
    """One conversation with one character; the seed of a reply is the character's and the turn's number."""

    mind: Mistral
    character: Character
    sampling: Sampling

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.mind, self.character.persona)
        self.sequence = self.mind.start()
        self.turn = 0

    def answer(self, text: str) -> str:
        """The reply, empty when the character stays silent."""
        self.turn += 1
        self.conversation.add_user(text)
        self.mind.sync_to(self.sequence, self.conversation.prompt())
        sampler = Sampler(self.sampling, seed=(self.sampling.seed, self.turn))
        said: list[int] = []
        while len(said) < self.conversation.chat.max_reply_tokens:
            token = self.mind.step(self.sequence, sampler)
            if token in self.conversation.chat.ends:
                break
            said.append(token)
        reply = self.conversation.chat.decode(said)
        if reply:
            self.conversation.add_reply(reply)
        return reply


@dataclass(frozen=True)
class Answered:
    """One held-out question with what was answered."""

    character: str
    turns: list[str]
    reply: str
    to_the_point: bool


class Evaluation:
    """All measurements of one model folder."""

    def __init__(self, folder: Path) -> None:
        self.mind = load_mind(folder)
        self.characters = {name: load_character(name) for name in CHARACTERS}
        self.table = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
        self.writer = make_writer(DEVELOPMENT_SEED)

    def chatter(self, name: str) -> Chatter:
        character = self.characters[name]
        return Chatter(self.mind, character, character.sampling)

    def questions(self) -> Iterator[Answered]:
        for row in self.table["questions"]:
            chatter = self.chatter(row["character"])
            reply = [chatter.answer(turn) for turn in row["turns"]][-1]
            good = re.search(rf"\b(?:{row['point']})", reply, re.IGNORECASE) is not None
            yield Answered(row["character"], row["turns"], reply, good)

    def name_recall(self, between: int) -> float:
        """Share of names that come back after `between` turns about something else."""
        fillers = self.table["addressed"]
        rng, found = random.Random(between), []
        for index, name in enumerate(self.writer.world.words["names"][::3]):
            chatter = self.chatter(CHARACTERS[index % len(CHARACTERS)])
            for turn in [f"hello my name is {name}", *rng.sample(fillers, between)]:
                chatter.answer(turn)
            found.append(name in chatter.answer("what is my name").lower())
        return statistics.fmean(found)

    def country_dishes(self) -> float:
        """Share of countries whose dish is named when the country was said one turn before."""
        found = []
        for index, (country, facts) in enumerate(self.writer.world.facts["countries"].items()):
            chatter = self.chatter(CHARACTERS[index % len(CHARACTERS)])
            chatter.answer(f"tomorrow we are going to {country}")
            reply = chatter.answer("what do they eat there").lower()
            found.append(any(dish in reply for dish in facts[1:3]))
        return statistics.fmean(found)

    def silence(self) -> dict[str, float]:
        """How often it is silent for asides, how often it answers when spoken to, and the mean of both."""
        quiet = [not self.chatter(name).answer(text) for name in CHARACTERS for text in self.table["asides"]]
        spoke = [
            bool(self.chatter(name).answer(text)) for name in CHARACTERS for text in self.table["addressed"]
        ]
        silent, answered = statistics.fmean(quiet), statistics.fmean(spoke)
        return {"asides_silent": silent, "addressed_answered": answered, "balanced": (silent + answered) / 2}

    def log_probability(self, dialogues: int) -> dict[str, float]:
        """Nats and perplexity per token of the replies in freshly generated dialogues."""
        drawn = self.writer.dialogues()
        losses = [loss for _ in range(dialogues) for loss in self._losses(next(drawn))]
        mean = statistics.fmean(losses)
        return {"nats_per_token": mean, "perplexity": float(np.exp(mean)), "tokens": len(losses)}

    def _losses(self, dialogue: Dialogue) -> Iterator[float]:
        chat, sequence = self.mind.chat, self.mind.start()
        conversation = Conversation(self.mind, dialogue.persona)
        for turn in dialogue.turns:
            conversation.add_user(turn.user)
            self.mind.sync_to(sequence, conversation.prompt())
            silent = turn.reply == "<silent>"
            expected = [*chat.silent] if silent else [*chat.encode(turn.reply.split()), *chat.end]
            for token in expected:
                scores = self.mind.logits(sequence).astype(np.float64)
                scores -= scores.max()
                yield float(np.log(np.exp(scores).sum()) - scores[token])
                self.mind.append(sequence, [token])
            if not silent:
                conversation.add_reply(turn.reply)


def measure(folder: Path, dialogues: int) -> dict:
    """Everything, as one dictionary that JSON can hold."""
    evaluation = Evaluation(folder)
    answered = list(evaluation.questions())
    lengths = [len(row.reply.split()) for row in answered]
    return {
        "questions": [asdict(row) for row in answered],
        "to_the_point": statistics.fmean(row.to_the_point for row in answered),
        "reply_words_median": statistics.median(lengths),
        "name_recall": {str(n): evaluation.name_recall(n) for n in RECALL_AFTER_TURNS},
        "country_dishes": evaluation.country_dishes(),
        "silence": evaluation.silence(),
        "log_probability": evaluation.log_probability(dialogues),
    }


def report(result: dict) -> str:
    """The measurements for a person to read: the whole table first."""
    lines = []
    for row in result["questions"]:
        mark = "yes" if row["to_the_point"] else "NO "
        lines += [f"{mark} {row['character']:7} {' / '.join(row['turns'])}", f"            -> {row['reply']}"]
    recall = ", ".join(f"after {n} turns {share:.0%}" for n, share in result["name_recall"].items())
    silence, held_out, count = result["silence"], result["log_probability"], len(result["questions"])
    lines += [
        f"to the point: {result['to_the_point']:.0%} of {count} (by keywords: read the table)",
        f"words per reply, median: {result['reply_words_median']:.0f}",
        f"name recall: {recall}",
        f"country to dish, one turn later: {result['country_dishes']:.0%}",
        f"silent for asides: {silence['asides_silent']:.0%}, answers when spoken to:"
        f" {silence['addressed_answered']:.0%}, balanced {silence['balanced']:.0%}",
        f"held-out replies: {held_out['nats_per_token']:.3f} nats per token, perplexity"
        f" {held_out['perplexity']:.2f} ({held_out['tokens']} tokens)",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate.mind", description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "models/pocket/mind")
    parser.add_argument(
        "--dialogues", type=int, default=60, help="how many fresh dialogues the log-probability reads"
    )
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    options = parser.parse_args()
    result = measure(options.model, options.dialogues)
    sys.stdout.write(report(result) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
