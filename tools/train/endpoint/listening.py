"""What ears and mind make of the pauses of development turns: the words, and whether the thought is finished.

The ears are the toy's, their words are kept beside the turns. As long as a mind cannot tell a finished thought, or
with `stand_in`, the probability comes from counts of word pairs over this project's own sentences.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from epsilon.config.character import load_character
from epsilon.config.models import find_model
from epsilon.engines.asr import whisper
from epsilon.engines.endpoint.wording import with_pauses
from epsilon.engines.llm import mistral
from epsilon.engines.llm.conversation import Conversation, finished
from epsilon.engines.protocols import Thought
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx
from epsilon.stages.vad import PREROLL_FRAMES, TAIL_FRAMES
from tools.train.endpoint import data
from tools.train.endpoint.data import Example
from tools.train.endpoint.hearing import RATE_HZ, WINDOW, pauses
from tools.train.speech.synthesis import training_sentences
from tools.train.text.lines import lines_to_characters
from tools.train.text.sentences import load

_START = "<s>"
_LARGER, _SMALLER = (0.68, 0.85), (1.2, 1.5)  # throats that the ears have heard few of
_SNR_DB = (5.0, 25.0)


def heard_words(
    folder: Path, name: str, examples: Sequence[Example], ears: str, disturbed: bool = False
) -> list[list[list[str]]]:
    """For each turn the words at each of its pauses, by these ears; remembered in the folder."""
    model = find_model(ears)
    kept = folder / f"{name}-{'disturbed' if disturbed else 'words'}-{model.sha256[:8]}.json"
    if not kept.exists():
        recogniser, rng = whisper.load(model, onnx, Seat()), np.random.default_rng(zlib.crc32(name.encode()))
        heard = list[list[list[str]]]()
        for example in examples:
            sound = data.sound_of(folder, name, example)
            stretch = 1.0
            if disturbed:
                sound, stretch = disturb(sound, rng)
            heard.append(_listen(sound, stretch, example, recogniser))
        kept.write_text(json.dumps(heard))
    found: list[list[list[str]]] = json.loads(kept.read_text())
    return found


def _listen(sound: Samples, stretch: float, example: Example, recogniser: Any) -> list[list[str]]:
    first, found = example.about["first"], []
    start = max(0, (first - 3) * WINDOW - PREROLL_FRAMES)
    for begin, _ in pauses(example.heard):
        end = (first + begin) * WINDOW + TAIL_FRAMES
        hearing = recogniser.start()
        recogniser.hear(hearing, sound[round(start * stretch) : round(end * stretch)])
        found.append(recogniser.finish(hearing).text.split())
    return found


def disturb(sound: Samples, rng: np.random.Generator) -> tuple[Samples, float]:
    """By another throat and microphone and in noise; also by how much longer it is."""
    size = rng.choice((rng.uniform(*_LARGER), rng.uniform(*_SMALLER), 1.0), p=(0.4, 0.4, 0.2))
    heard = soxr.resample(sound, RATE_HZ * size, RATE_HZ)
    spectrum, hz = np.fft.rfft(heard), np.fft.rfftfreq(len(heard), 1 / RATE_HZ)
    spectrum *= (1 + (hz / rng.uniform(500, 3000)) ** 2) ** rng.uniform(-0.4, 0.2)
    heard = np.fft.irfft(spectrum, len(heard))
    noise = rng.standard_normal(len(heard))
    noise = 0.3 * noise + rng.choice((0.0, 0.1)) * np.cumsum(noise - noise.mean())
    heard = heard + noise / noise.std() * heard.std() * 10 ** (-rng.uniform(*_SNR_DB) / 20)
    return (0.5 * heard / np.abs(heard).max()).astype(np.float32), len(heard) / len(sound)


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


def heard_turns(
    folder: Path, kind: str, ears: str, disturbed: bool = False
) -> Iterator[tuple[Example, list[list[str]]]]:
    """Every turn of one kind whose sound was kept, with the words at each of its pauses, by these ears."""
    for path in sorted(folder.glob(f"{kind}-???.pcm")):
        if path.with_suffix(".json").exists():
            examples = data.read(folder, path.stem)
            yield from zip(examples, heard_words(folder, path.stem, examples, ears, disturbed), strict=True)


def marked(heard: Sequence[Sequence[str]]) -> list[list[str]]:
    """The words at each pause of a turn, with a mark for every pause before it."""
    counts = [len(said) for said in heard]
    return [with_pauses(said, counts[:place]) for place, said in enumerate(heard)]


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
