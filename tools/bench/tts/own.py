"""A voice of the toy as a worker on one core: python -m tools.bench.tts.own FOLDER ENGINE RUNTIME CORE.

Every task begins with the text. What it answers is how many seconds of sound there were.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path

from epsilon.config.models import Model
from epsilon.engines.protocols import Chunk, Delivery, Synthesizer
from epsilon.realtime import Seat
from epsilon.stages.phrases import Cutter
from tools.bench.peers.serving import Given, Task, serve
from tools.bench.tts import ALL, FIRST, FIRST_PIECE, ONE_SHOT

Say = Callable[[str], Iterator[Chunk]]


def tasks(folder: Path, engine: str, runtime: str, seat: Seat) -> dict[str, Task]:
    """Everything that is measured; the voice as the toy loads it and as one graph are loaded when first asked for."""
    module = importlib.import_module(f"epsilon.engines.tts.{engine}")
    graphs = importlib.import_module(f"epsilon.runtimes.{runtime}")
    model = Model("bench", folder, "tts", engine, "", "", "", {})
    streamed = cache(lambda: speaker(module.load(model, graphs, seat)))
    at_once = cache(lambda: speaker(module.load_whole(model, graphs, seat)))
    return {
        ONE_SHOT: task(at_once, lambda say, text: seconds(say(text))),
        FIRST: task(streamed, lambda say, text: seconds(islice(say(text), 1))),
        ALL: task(streamed, lambda say, text: seconds(say(text))),
        FIRST_PIECE: task(streamed, lambda say, text: seconds(islice(say(first_piece(text)), 1))),
    }


def speaker(voice: Synthesizer) -> Say:
    """Says a text in the voice's first style."""
    delivery = Delivery(next(iter(voice.styles.values())))
    return lambda text: voice.speak(voice.spell(text, more=False).symbols, delivery)


def task(voice: Callable[[], Say], run: Callable[[Say, str], float]) -> Task:
    """Running a voice on the text that is given; it is loaded before the time counts."""

    def prepare(given: Given) -> Callable[[], float]:
        say, text = voice(), str(given)
        return lambda: run(say, text)

    return Task(prepare)


def seconds(chunks: Iterable[Chunk]) -> float:
    """How long chunks sound, once they are there."""
    return sum(len(chunk.samples) / chunk.sample_rate_hz for chunk in chunks)


def first_piece(text: str) -> str:
    """What the toy would say first of a text that comes word by word."""
    cutter = Cutter()
    return next(chain(cutter.push(text), cutter.finish())).text


def main() -> None:
    """Sits down on the core, loads the voice and serves."""
    folder, engine, runtime, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    serve(tasks(Path(folder), engine, runtime, Seat(cores=(int(core),))))


if __name__ == "__main__":
    main()
