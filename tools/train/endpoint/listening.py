"""What ears and mind make of the pauses of development turns: the words, and whether the thought is finished.

The ears are the toy's, their words are kept beside the turns. As long as a mind cannot tell a finished thought, or
with `stand_in`, the probability comes from counts of word pairs over this project's own sentences.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from epsilon.config.character import load_character
from epsilon.config.models import find_model
from epsilon.engines.asr import whisper
from epsilon.engines.llm import mistral
from epsilon.engines.llm.conversation import Conversation, finished
from epsilon.engines.protocols import Thought
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from epsilon.stages.vad import PREROLL_FRAMES, TAIL_FRAMES
from tools.train.endpoint import data
from tools.train.endpoint.data import Example
from tools.train.endpoint.hearing import WINDOW, pauses
from tools.train.speech.synthesis import training_sentences
from tools.train.text.lines import lines_to_characters
from tools.train.text.sentences import load

_START = "<s>"


def heard_words(folder: Path, name: str, examples: Sequence[Example], ears: str) -> list[list[list[str]]]:
    """For each turn the words at each of its pauses, by these ears; remembered in the folder."""
    model = find_model(ears)
    kept = folder / f"{name}-words-{model.sha256[:8]}.json"
    if not kept.exists():
        recogniser = whisper.load(model, onnx, Seat())
        kept.write_text(json.dumps([_listen(folder, name, example, recogniser) for example in examples]))
    found: list[list[list[str]]] = json.loads(kept.read_text())
    return found


def _listen(folder: Path, name: str, example: Example, recogniser: Any) -> list[list[str]]:
    sound, found = data.sound_of(folder, name, example), []
    first = example.about["first"]
    start = max(0, (first - 3) * WINDOW - PREROLL_FRAMES)
    for begin, _ in pauses(example.heard):
        hearing = recogniser.start()
        recogniser.hear(hearing, sound[start : (first + begin) * WINDOW + TAIL_FRAMES])
        found.append(recogniser.finish(hearing).text.split())
    return found


class Mind:
    """The toy's mind, asked whether the user is done."""

    def __init__(self, name: str, character: str = "odette") -> None:
        self._model = mistral.load(find_model(name), onnx, Seat())
        self._conversation = Conversation(self._model, load_character(character).persona)
        self._sequence = self._model.start()

    def finished(self, words: Sequence[str]) -> float | None:
        """As the toy's mind stage finds it."""
        if not words:
            return None
        self._model.sync_to(self._sequence, self._conversation.ids(tuple(words)))
        return finished(self._conversation.chat, self._model.logits(self._sequence))


class StandIn:
    """Counts of how often a sentence ends after two words; made-up knowledge in the place of a mind's."""

    def __init__(self, sentences: int = 40_000) -> None:
        lines = [*islice(training_sentences(load(), random.Random(9)), sentences), *lines_to_characters()]
        self._goes_on, self._ends = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
        for line in lines:
            words = [_START, *line.split()]
            for before, last in pairwise(words):
                for key in ((before, last), (last,)):
                    self._goes_on[key] += 1
            for key in ((words[-2], words[-1]), (words[-1],)):
                self._ends[key] += 1

    def finished(self, words: Sequence[str]) -> float | None:
        """The share of ends among the places after these last two words, backed off to the last word."""
        if not words:
            return None
        before, last = [_START, *words][-2:]
        share = (self._ends[last,] + 0.5) / (self._goes_on[last,] + 1.0)
        return (self._ends[before, last] + 4 * share) / (self._goes_on[before, last] + 4)


def thoughts(words: Sequence[Sequence[str]], mind: Mind | StandIn) -> list[Thought]:
    """What the stage is told at each pause."""
    return [Thought(tuple(said), mind.finished(said)) for said in words]
