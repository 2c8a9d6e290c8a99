"""The toy's recogniser as a worker: python -m tools.bench.asr.own FOLDER RUNTIME.

Everything but the two graphs' own rows goes through the engine as the toy loads it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tokenizers import Tokenizer

from epsilon.config.models import Model
from epsilon.engines.asr import whisper
from epsilon.engines.asr.whisper import Whisper
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph
from tools.bench.asr import HOP_S, RATE_HZ, TOKENS_PER_SECOND
from tools.bench.asr.graphs import graph_tasks
from tools.bench.asr.script import Script
from tools.bench.asr.spelling import word_ids
from tools.bench.peers.serving import Task, serve

HOP = round(HOP_S * RATE_HZ)
MOST_WORDS = 30


def cold(ears: Whisper) -> Task:
    """The words of sound that was never heard before."""

    def prepare(sound: Samples) -> Callable[[], str]:
        hearing = ears.start()
        return lambda: _last(ears, hearing, sound)

    return Task(prepare)


def after_a_partial(ears: Whisper) -> Task:
    """The words when all but the last half second was heard already."""

    def prepare(sound: Samples) -> Callable[[], str]:
        hearing = ears.start()
        ears.hear(hearing, sound[:-HOP])
        return lambda: _last(ears, hearing, sound[-HOP:])

    return Task(prepare)


def already_encoded(ears: Whisper) -> Task:
    """The words when the last partial has seen all of the sound, as after a pause."""

    def prepare(sound: Samples) -> Callable[[], str]:
        hearing = ears.start()
        ears.hear(hearing, sound)
        return lambda: _last(ears, hearing, sound[:0])

    return Task(prepare)


def _last(ears: Whisper, hearing: Any, sound: Samples) -> str:
    ears.hear(hearing, sound)
    return ears.finish(hearing).text


def stream(ears: Whisper, script: Script | None) -> Task:
    """All partials of an utterance and its final words; with a script, so many words as one says meanwhile."""

    def prepare(sound: Samples) -> Callable[[], str]:
        hearing = ears.start()

        def listen() -> str:
            for start in range(0, len(sound), HOP):
                if script is not None:
                    script.count = round((start + HOP) / RATE_HZ * TOKENS_PER_SECOND)
                ears.hear(hearing, sound[start : start + HOP])
            return ears.finish(hearing).text

        return listen

    return Task(prepare)


def engine(folder: Path, runtime: str, script: bool = False) -> tuple[Whisper, Script | None]:
    """The engine as the toy loads it; with a script its decoder's cost is real and its words are given."""
    module = importlib.import_module(f"epsilon.runtimes.{runtime}")
    model = Model("bench", folder, "asr", "whisper", "", "", "", {})
    if not script:
        return whisper.load(model, module, Seat()), None
    scripted = Scripted(module, folder)
    return whisper.load(model, scripted, Seat()), scripted.script


class Scripted:
    """A runtime that puts a script over the decoder."""

    def __init__(self, runtime: Any, folder: Path) -> None:
        self._runtime, self._folder = runtime, folder
        self.script: Script | None = None

    def load(self, path: Path, seat: Seat) -> Graph:
        graph: Graph = self._runtime.load(path, seat)
        if path.stem != "decoder":
            return graph
        facts = yaml.safe_load((self._folder / "model.yaml").read_text(encoding="utf-8"))
        vocabulary = Tokenizer.from_file(str(self._folder / "tokenizer.json")).get_vocab()
        self.script = Script(graph, word_ids(vocabulary, MOST_WORDS), len(facts["start"]), facts["end"])
        return self.script


def tasks(folder: Path, runtime: str) -> dict[str, Task]:
    """Everything that is measured; a checkpoint of random weights streams by a script."""
    facts = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    ears, _ = engine(folder, runtime)
    streaming, script = engine(folder, runtime, script=True) if facts.get("random_weights") else (ears, None)
    return {
        "cold": cold(ears),
        "after a partial": after_a_partial(ears),
        "already encoded": already_encoded(ears),
        "stream": stream(streaming, script),
        **graph_tasks(folder, importlib.import_module(f"epsilon.runtimes.{runtime}")),
    }


def main() -> None:
    """Loads the recogniser and serves."""
    serve(tasks(Path(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
