"""How well a voice speaks, as the toy runs it: `python -m tools.evaluate.voice [MODEL]`.

Sentences that were never taught are said in every style as it is, and by every character with its pace, pitch and
effects, cut into phrases as the toy cuts them. An independent recogniser writes down what it hears; flite, the teacher,
reads the same. Melody, timing and spectrum are compared after both were brought into step; clicks, clipping, loudness
and speed are counted. `MODEL` is a folder in the form of models/pocket/voice or a name of the manifest.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.config import folders
from epsilon.errors import ConfigError, EpsilonError
from epsilon.realtime import Seat
from epsilon.runtimes import Graph, onnx
from tools.bench import count
from tools.evaluate.voice import pictures, prosody, report
from tools.evaluate.voice.comparison import Figures, Score
from tools.evaluate.voice.judge import Judge
from tools.evaluate.voice.pictures import Pair
from tools.evaluate.voice.speakers import Said, Speaker, load_voice, of_character, of_style
from tools.evaluate.voice.teachers import Reads, teachers_of

MODEL = "pocket/voice"
SENTENCES = Path("tools/evaluate/voice_sentences.txt")
MEMORY = Path("build/evaluate/voice/heard.txt")
PICTURED = 3  # sentences


class AtOnce:
    """The whole voice in one graph, for comparison with what streamed; a voice without it is not compared."""

    def __init__(self, voice: Any, folder: Path) -> None:
        path = folder / "model.onnx"
        self._voice = voice
        self._graph: Graph | None = (
            onnx.load(path, Seat()) if path.exists() and hasattr(voice, "feeds") else None
        )

    def __call__(self, said: Said) -> float | None:
        """The largest difference of a sample in any of its phrases."""
        if self._graph is None:
            return None
        apart = 0.0
        for phrase in said.phrases:
            whole = self._graph(self._voice.feeds(phrase.symbols, phrase.delivery))["audio"].reshape(-1)
            same = whole.shape == phrase.samples.shape
            apart = max(apart, float(np.abs(whole - phrase.samples).max(initial=0.0)) if same else np.inf)
        return apart


def evaluate(
    speaker: Speaker, teacher: Reads | None, sentences: Sequence[str], judge: Judge, at_once: AtOnce
) -> tuple[Figures, list[Pair]]:
    """Everything about a speaker, and the first sentences to look at."""
    score, shown = Score(judge), list[Pair]()
    settings = speaker.settings
    for place, sentence in enumerate(sentences):
        print(f"\r{speaker.name}: {place + 1} of {len(sentences)} ", end="", file=sys.stderr, flush=True)
        said = speaker.say(sentence)
        score.add(sentence, said, at_once)
        reading = teacher.read(sentence, settings.speed, settings.pitch) if teacher else None
        if teacher and reading:
            score.add_teacher(sentence, said, teacher.plain(sentence), reading)
        if place < PICTURED:
            shown.append(Pair(sentence, said.wet, reading.samples if reading else None))
    print(file=sys.stderr)
    figures = score.figures() | {"prosody": prosody.measure(speaker)}
    if teacher:
        read = teacher  # for the function below, which outlives the check
        figures["teacher_prosody"] = prosody.teachers(
            lambda text: read.read(text, settings.speed, settings.pitch).samples
        )
    return figures, shown


def speakers(voice: Any, folder: Path, styles: Sequence[str], characters: Sequence[str]) -> Iterable[Speaker]:
    """Those asked for; without any, the first style of each teacher and all characters whose style the voice has."""
    if styles or characters:
        yield from (of_style(voice, name) for name in styles)
        yield from (of_character(voice, name) for name in characters)
        return
    taught = teachers_of(folder)
    first = {teacher: style for style, teacher in reversed(taught.items())}
    yield from (of_style(voice, name) for name in sorted(first.values()) or list(voice.styles)[:1])
    if taught:
        yield from (of_character(voice, name) for name in folders.character_names())


def measure(options: argparse.Namespace) -> dict[str, Figures]:
    """All speakers one after the other, with their pictures where these were asked for."""
    voice, folder = load_voice(options.model, options.runtime, options.engine)
    sentences = options.sentences.read_text(encoding="utf-8").splitlines()[: options.count]
    judge, at_once, found = Judge(MEMORY), AtOnce(voice, folder), dict[str, Figures]()
    taught, teachers = teachers_of(folder), dict[str, Reads]()
    for speaker in speakers(voice, folder, options.style, options.character):
        named = taught.get(speaker.settings.style)
        if named and named not in teachers:
            teachers[named] = Reads(named)
        teacher = teachers[named] if named else None
        found[speaker.name], shown = evaluate(speaker, teacher, sentences, judge, at_once)
        found[speaker.name]["teacher"] = named
        if options.pictures:
            pictures.draw(options.pictures / f"{speaker.name}.png", speaker.name, named, shown)
    return found


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="python -m tools.evaluate.voice", description=__doc__)
    made.add_argument("model", nargs="?", default=MODEL, metavar="MODEL", help=f"default: {MODEL}")
    made.add_argument(
        "--style", action="append", default=[], metavar="NAME", help="only this; may come again"
    )
    made.add_argument(
        "--character", action="append", default=[], metavar="NAME", help="the same of characters"
    )
    made.add_argument("--runtime", default="onnx", help="a module of epsilon/runtimes (default: onnx)")
    made.add_argument(
        "--engine", default="styletts2", help="what reads a MODEL that is a folder (default: styletts2)"
    )
    made.add_argument("--sentences", type=Path, default=SENTENCES, metavar="FILE", help="one a line")
    made.add_argument("--count", type=count, metavar="N", help="only the first N sentences")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write everything to this file")
    made.add_argument("--pictures", type=Path, metavar="FOLDER", help="also draw the first sentences")
    made.add_argument("--show", action="store_true", help="also print what was heard of every sentence")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and measures; 0, or 2 after one message when something is wrong."""
    options = parser().parse_args(arguments)
    began_s = time.process_time()
    try:
        if options.json and not options.json.absolute().parent.is_dir():
            raise ConfigError("there is no such folder", str(options.json.parent), "--json FILE")
        found = measure(options)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    if options.show:
        print(report.details(found))
    print(report.table(found))
    print(f"CPU seconds for all this: {time.process_time() - began_s:.0f}")
    if options.json:
        whole = {"model": options.model, "runtime": options.runtime, "speakers": found}
        options.json.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
