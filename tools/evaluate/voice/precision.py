"""What a voice loses and gains in other precisions: `python -m tools.evaluate.voice.precision [MODEL]`.

Speed is measured in turn, a sentence of all before the next sentence, as CPU time of one thread; what is lost is
measured against the first row: frames of each symbol, melody, mel-cepstral distortion, and with `--words` words.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.errors import EpsilonError
from epsilon.ring import Samples
from tools.bench import count, print_table
from tools.evaluate.voice import RATE_HZ, pitch, spectra, variants
from tools.evaluate.voice.__main__ import MEMORY, MODEL, SENTENCES
from tools.evaluate.voice.judge import Judge, Understood
from tools.evaluate.voice.pitch import CENT
from tools.evaluate.voice.speakers import Said, Speaker, load_voice, of_style

SHIPPED = "as it ships"
RUNTIMES = ("onnx", "openvino")


@dataclass
class Subject:
    """A precision on a runtime, and what was found out about it."""

    way: str
    runtime: str
    megabytes: float
    speaker: Speaker
    factors: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    distortion_db: list[float] = field(default_factory=list)
    cents: list[float] = field(default_factory=list)
    moved: list[bool] = field(default_factory=list)  # symbols that last a frame more or less
    words: Understood = field(default_factory=Understood)

    def time(self, sentence: str) -> Said:
        """Say it and note what it cost."""
        said = self.speaker.say(sentence)
        self.factors.append(said.cpu_s / (len(said.dry) / RATE_HZ))
        self.first_ms.append(1000 * said.first_cpu_s)
        return said

    def compare(self, said: Said, wanted: Said) -> None:
        """Note how far it is from the first row's."""
        self.distortion_db.append(apart_db(said.dry, wanted.dry))
        self.cents += apart_cents(said.dry, wanted.dry)
        self.moved += (np.diff(said.ends, prepend=0) != np.diff(wanted.ends, prepend=0)).tolist()

    def figures(self) -> dict[str, Any]:
        """Everything as numbers; no speed for what is only imitated."""
        real = self.way != variants.IMITATED
        return {
            "precision": self.way,
            "runtime": self.runtime,
            "megabytes": self.megabytes,
            "real_time_factor": statistics.median(self.factors) if real else None,
            "first_chunk_cpu_ms": statistics.median(self.first_ms) if real else None,
            "distortion_db": float(np.mean(self.distortion_db)),
            "f0_rmse_cents": float(np.sqrt(np.mean(np.square(self.cents or [np.nan])))),
            "symbols_moved_percent": 100 * float(np.mean(self.moved)),
            "understood_percent": self.words.percent if self.words.words else None,
        }


def apart_db(one: Samples, other: Samples) -> float:
    """Mel-cepstral distortion after both were brought into step, pauses left out."""
    ours, theirs = spectra.mel_cepstra(one), spectra.mel_cepstra(other)
    path = spectra.in_step(ours, theirs)
    levels = spectra.levels_db(other)
    path = path[levels[path[:, 1]] > levels.max() - spectra.QUIET_DB]
    return float(spectra.distortion_db(ours, theirs, path).mean())


def apart_cents(one: Samples, other: Samples) -> list[float]:
    """Cents between the two melodies, in step, where both have a pitch."""
    path = spectra.in_step(spectra.mel_cepstra(one), spectra.mel_cepstra(other))
    ours_hz, theirs_hz = pitch.track(one)[path[:, 0]], pitch.track(other)[path[:, 1]]
    both = (ours_hz > 0) & (theirs_hz > 0)
    return [float(cents) for cents in np.log(ours_hz[both] / theirs_hz[both]) / CENT]


def measure(subjects: Sequence[Subject], sentences: Sequence[str], rounds: int) -> None:
    """All sentences so often, every subject in turn; the first subject is what the others are compared with."""
    for turn in range(rounds + 1):  # the first is not timed: it compiles and compares
        print(f"\rround {turn} of {rounds} ", end="", file=sys.stderr, flush=True)
        for sentence in sentences:
            said = [subject.time(sentence) for subject in subjects]
            if not turn:
                for subject, sound in zip(subjects, said, strict=True):
                    subject.compare(sound, said[0])
                    subject.factors.clear()
                    subject.first_ms.clear()
    print(file=sys.stderr)


def judge(subjects: Sequence[Subject], sentences: Sequence[str]) -> None:
    """What an independent recogniser makes of each."""
    listener = Judge(MEMORY)
    for sentence in sentences:
        for subject in subjects:
            subject.words.add(sentence, listener.hear(subject.speaker.say(sentence).dry))


def subjects(model: str, style: str, runtimes: Sequence[str], scratch: Path) -> list[Subject]:
    """Every precision on every runtime; one that a runtime cannot run is said and left out."""
    voice, folder = load_voice(model)
    feeds = variants.feeds_of(voice, folder, style)
    places = {SHIPPED: folder}
    for way, change in variants.WAYS.items():
        print(f"{way} …", file=sys.stderr, flush=True)
        places[way] = variants.write(folder, scratch / way.replace(" ", "-"), change, feeds)
    found = list[Subject]()
    for runtime in runtimes:
        for way, place in places.items():
            try:
                speaker = of_style(load_voice(str(place), runtime)[0], style)
            except EpsilonError as error:
                print(f"{way} on {runtime}: {error}", file=sys.stderr)
                continue
            found.append(Subject(way, runtime, size_mb(place), speaker))
    return found


def size_mb(folder: Path) -> float:
    """What the graphs take with their weights."""
    graphs = [folder / f"{name}.onnx" for name in variants.GRAPHS] + list(folder.glob("weights.bin"))
    return sum(path.stat().st_size for path in graphs) / 1e6


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table."""
    head = ("precision", "runtime", "MB", "RTF", "first ms", "MCD dB", "F0 cents", "moved %", "understood %")
    lines = [list(row.values()) for row in rows]
    for line in lines:
        line[3] = None if line[3] is None else f"{line[3]:.4f}"
        line[5] = f"{line[5]:.2f}"
    print_table(head, lines)


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and measures; 0, or 2 after one message when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate.voice.precision", description=__doc__)
    parser.add_argument("model", nargs="?", default=MODEL, metavar="MODEL", help=f"default: {MODEL}")
    parser.add_argument("--style", default="low", metavar="NAME", help="default: low")
    parser.add_argument("--runtime", action="append", metavar="NAME", help=f"default: {', '.join(RUNTIMES)}")
    parser.add_argument("--count", type=count, default=10, metavar="N", help="sentences (default: 10)")
    parser.add_argument("--rounds", type=count, default=5, metavar="N", help="timed ones (default: 5)")
    parser.add_argument("--words", type=count, metavar="N", help="also have N sentences recognised")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table to this file")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # onnxruntime's quantiser recommends steps that change nothing here
    sentences = SENTENCES.read_text(encoding="utf-8").splitlines()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            runtimes = options.runtime or RUNTIMES
            found = subjects(options.model, options.style, runtimes, Path(scratch))
            measure(found, sentences[: options.count], options.rounds)
            judge(found, sentences[: options.words or 0])
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    rows = [subject.figures() for subject in found]
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
