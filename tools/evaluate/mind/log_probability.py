"""Held-out dialogues: nats per token of the replies, and how well shuffled words are told from what people say."""

from __future__ import annotations

import math
import random
import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from epsilon.engines.llm.conversation import USER, Conversation
from tools.evaluate.mind.chatter import Cast
from tools.evaluate.mind.figures import Figures, Row, share, shown
from tools.evaluate.mind.scoring import SURPRISING, Scored, area_under_curve, score, sequence
from tools.train.mind.generate import Dialogue, make_writer

SEED = 3  # training draws its dialogues from others
DIALOGUES = 40
QUICK_DIALOGUES = 10
FEWEST_WORDS = 4  # of a line whose shuffled words are surely another line
MARK = re.compile(r"<(\w+)> ")
SILENT = "<silent>"


class Reader:
    """Reads dialogues with a model: what it thinks of replies, lines, and shuffled lines."""

    def __init__(self, mind: Any) -> None:
        self.mind = mind
        self.rng = random.Random(SEED)
        self.replies: list[list[Scored]] = []
        self.lines: list[float] = []
        self.shuffled: list[float] = []

    def read(self, dialogue: Dialogue, made_of_nonsense: frozenset[str]) -> None:
        """One dialogue; `made_of_nonsense` are the replies to lines that were gibberish already."""
        conversation, chat = Conversation(self.mind, dialogue.persona), self.mind.chat
        seq = self.mind.start()
        for turn in dialogue.turns:
            speaker, words = speaker_and_words(turn.user)
            if turn.reply not in made_of_nonsense and turn.reply != SILENT:
                self._compare(conversation, speaker, words)
            conversation.add_user(" ".join(words), speaker)
            self.mind.sync_to(seq, conversation.prompt())
            silent = turn.reply == SILENT
            expected = [*chat.silent] if silent else [*chat.encode(turn.reply.split()), *chat.end]
            self.replies.append(score(self.mind, seq, expected))
            if not silent:
                conversation.add_reply(turn.reply)

    def _compare(self, conversation: Conversation, speaker: str, words: list[str]) -> None:
        if len(words) < FEWEST_WORDS:
            return
        mixed = words
        while mixed == words:
            mixed = self.rng.sample(words, len(words))
        frame = conversation.chat.frame(speaker)
        whole = conversation.ids(words, speaker)
        before = whole[: len(whole) - len(conversation.chat.encode(words))] if frame else whole
        for kept, line in ((self.lines, words), (self.shuffled, mixed)):
            found = score(self.mind, sequence(self.mind, before), conversation.chat.encode(line))
            kept.append(statistics.fmean(one.logprob for one in found))


def speaker_and_words(line: str) -> tuple[str, list[str]]:
    """Who says a line of a dialogue file (`<other> have you seen my keys`), and the words."""
    mark = MARK.match(line)
    return (mark.group(1), line[mark.end() :].split()) if mark else (USER, line.split())


def measure(cast: Cast, quick: bool) -> Figures:
    """Dialogues that the generator draws from a seed of their own."""
    writer = make_writer(SEED)
    nonsense = frozenset(reply for script in writer.scripts for reply in script.replies["gibberish"])
    reader = Reader(cast.mind)
    for dialogue in islice(writer.dialogues(), QUICK_DIALOGUES if quick else DIALOGUES):
        reader.read(dialogue, nonsense)
    return figures(reader.replies, reader.lines, reader.shuffled)


def figures(replies: Sequence[list[Scored]], lines: Sequence[float], shuffled: Sequence[float]) -> Figures:
    """Nats per token, the alarm's curve, and its false alarms."""
    nats = -statistics.fmean(one.logprob for reply in replies for one in reply)
    means = [statistics.fmean(one.logprob for one in reply) for reply in replies]
    return {
        "nats_per_token": nats,
        "perplexity": math.exp(nats),
        "tokens": sum(map(len, replies)),
        "surprising_replies": share(mean < SURPRISING for mean in means),
        "alarm_auc": area_under_curve(lines, shuffled) if lines else None,
        "alarm_lines": len(lines),
        "user_nats_per_token": -statistics.fmean(lines) if lines else None,
    }


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    nats = f"{found['nats_per_token']:.3f} nats per token ({found['tokens']} tokens)"
    yield Row("replies of held-out dialogues", f"{nats}, perplexity {found['perplexity']:.2f}")
    yield Row(f"  of them below {SURPRISING:g} nats per token", shown(found["surprising_replies"]))
    if found["alarm_auc"] is not None:
        told = f"AUC {found['alarm_auc']:.3f} ({found['alarm_lines']} lines)"
        yield Row("gibberish alarm: lines against their words shuffled", told)


def details(found: Figures) -> Iterator[str]:
    """Nothing more than the table says."""
    yield from ()
