"""Word error rates of every recogniser there is, on the same recordings: `python -m tools.evaluate.ears`.

The sound goes through the toy's own engines: those that ship and those that were fetched. Sets: the synthetic ones
of tools.train.speech.synthesis, `noise` (its seen voices in pink noise at 10 dB) and `people` (recordings of
people). "Seen" and "held out" mean what pocket/ears was trained on; the others were trained on none of it. The
speech is made anew from a seed; that needs the distribution's synthesizers.
"""

from __future__ import annotations

import argparse
import importlib
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from epsilon.config.ears import KIND, RANDOM
from epsilon.config.models import Model, find_model, read_manifest
from epsilon.emulation.word_errors import edits
from epsilon.engines.asr.whisper import Whisper
from epsilon.engines.protocols import Recognizer
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.train.speech import shards
from tools.train.speech.shards import Utterance
from tools.train.speech.synthesis import make_evaluation_sets
from tools.train.text.sentences import load

PEOPLE = Path("tests/people")
RATE_HZ = 16_000
NOISE_DB = 10.0
PREROLL_FRAMES = RATE_HZ // 4  # the toy's stage `vad` hands over so much from before the speech


@dataclass
class Score:
    """Errors and words of one set or voice."""

    errors: int = 0
    words: int = 0
    utterances: int = 0
    right: int = 0
    voices: dict[str, Score] = field(default_factory=dict)

    def add(self, said: str, heard: str, voice: str = "") -> None:
        """Counts one utterance, for its voice too."""
        errors = edits(said.split(), heard.split())
        self.errors, self.words = self.errors + errors, self.words + len(said.split())
        self.utterances, self.right = self.utterances + 1, self.right + (errors == 0)
        if voice:
            self.voices.setdefault(voice, Score()).add(said, heard)

    def __str__(self) -> str:
        rate = 100 * self.errors / max(1, self.words)
        return (
            f"{rate:6.1f} % of {self.words} words, {self.right} of {self.utterances} sentences without error"
        )


def load_engine(folder: Path) -> Whisper:
    """The toy's engine on the files of a folder, on one thread."""
    seat = Seat()
    return Whisper(folder, onnx.load(folder / "encoder.onnx", seat), onnx.load(folder / "decoder.onnx", seat))


def load_model(name: str) -> Recognizer:
    """The engine of a model that ships or was fetched, on one thread."""
    model = find_model(name)
    engine: Recognizer = importlib.import_module(f"epsilon.engines.asr.{model.engine}").load(
        model, onnx, Seat()
    )
    return engine


def hear(engine: Recognizer, samples: NDArray[np.int16], hop_ms: int) -> str:
    """What the engine makes of the sound, in one piece or as it comes, `hop_ms` at a time."""
    sound = samples.astype(np.float32) / np.float32(32768)
    hop = hop_ms * RATE_HZ // 1000 or len(sound)
    hearing = engine.start()
    for first in range(0, len(sound), hop):
        engine.hear(hearing, sound[first : first + hop])
    return " ".join(engine.finish(hearing).committed)


def in_silence(utterance: Utterance) -> Utterance:
    """The same after the silence that the toy hands over before the speech."""
    before = np.zeros(PREROLL_FRAMES, np.int16)
    return Utterance(utterance.sentence, utterance.voice, np.concatenate([before, utterance.samples]))


def in_noise(utterances: list[Utterance]) -> list[Utterance]:
    """The same in pink noise, 10 dB below the speech, from a seed."""
    rng = np.random.default_rng(9)
    noisy = []
    for utterance in utterances:
        speech = utterance.samples.astype(np.float32)
        spectrum = np.fft.rfft(rng.standard_normal(len(speech)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), len(speech))
        pink *= np.sqrt(np.mean(speech**2)) / pink.std() * 10 ** (-NOISE_DB / 20)
        mixed = np.clip(speech + pink, -32768, 32767).astype(np.int16)
        noisy.append(Utterance(utterance.sentence, utterance.voice, mixed))
    return noisy


def recordings(folder: Path) -> list[Utterance]:
    """Recordings of people; README.md there has a table of `| file | words |`."""
    found = []
    for name, words in re.findall(
        r"^\| (\S+\.\w+) \| (.+?) \|$", (folder / "README.md").read_text(), re.MULTILINE
    ):
        sound, rate_hz = soundfile.read(folder / name, dtype="float32", always_2d=True)
        sound = soxr.resample(sound.mean(axis=1), rate_hz, RATE_HZ)
        found.append(Utterance(words, name, np.asarray(sound * 32767, np.int16)))
    return found


def evaluation_speech(count: int, folder: Path) -> dict[str, list[Utterance]]:
    """The synthetic sets, read from `folder` when they were made before with the same count."""
    place = folder / str(count)
    if not place.exists():
        made = make_evaluation_sets(load(), count)
        place.mkdir(parents=True)
        for name, utterances in made.items():
            shards.write(place / name, utterances)
    sets = {path.stem: [in_silence(u) for u in shards.read(path)] for path in sorted(place.glob("*.json"))}
    return {**sets, "noise": in_noise(sets["seen_voices"])}


@dataclass(frozen=True)
class Row:
    """One recogniser on one set."""

    score: Score
    cpu_s: float
    sound_s: float

    def __str__(self) -> str:
        rate = 100 * self.score.errors / max(1, self.score.words)
        return f"{rate:5.1f} % ({self.cpu_s / self.sound_s:.2f})"


def recognise(engine: Recognizer, utterances: list[Utterance], hop_ms: int, show: int) -> Row:
    """One set by one recogniser; CPU time, because the machine may have other work."""
    score, start = Score(), time.process_time()
    for place, utterance in enumerate(utterances):
        heard = hear(engine, utterance.samples, hop_ms)
        score.add(utterance.sentence, heard, utterance.voice)
        if place < show:
            print(f"    {utterance.voice}: {utterance.sentence!r} heard as {heard!r}")
    sound = sum(len(utterance.samples) for utterance in utterances)
    return Row(score, time.process_time() - start, sound / RATE_HZ)


def table(rows: dict[str, dict[str, Row]], known: dict[str, Model]) -> str:
    """A line a set, a column a recogniser: word errors, and CPU time as a share of the sound's."""
    names = list(rows)
    width = max(len(name) for name in names) + 2
    lines = [f"{'word errors (CPU)':20}" + "".join(f"{name:>{max(width, 16)}}" for name in names)]
    for part, first in rows[names[0]].items():
        cells = "".join(f"{rows[name][part]!s:>{max(width, 16)}}" for name in names)
        lines.append(f"{part:20}{cells}   {first.score.words} words")
    for name in names:
        if name in known and known[name].source.startswith(RANDOM):
            lines.append(f"{name} has RANDOM weights: its words mean nothing, its time does")
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and for one recogniser alone each voice of a small cast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a name or a folder instead of all; may come again")
    parser.add_argument("--set", action="append", help="leave out the others; may come again")
    parser.add_argument("--count", type=int, default=300, help="utterances in each synthetic set when made")
    parser.add_argument("--most", type=int, help="only the first so many of each synthetic set")
    parser.add_argument(
        "--speech", type=Path, default=Path("build/evaluate/ears"), help="where the speech is kept"
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        default=PEOPLE,
        help="folder of recordings of people with a README.md that has a table of files and words",
    )
    parser.add_argument("--hop-ms", type=int, default=0, help="feed the sound in pieces, as the toy does")
    parser.add_argument("--show", type=int, default=0, help="print so many utterances of each set")
    options = parser.parse_args()
    sets = {"people": recordings(options.recordings)}
    if options.set != ["people"]:
        synthetic = evaluation_speech(options.count, options.speech)
        sets = {name: part[: options.most] for name, part in synthetic.items()} | sets
    known = {name: model for name, model in read_manifest().items() if model.kind == KIND}
    rows: dict[str, dict[str, Row]] = {}
    for name in options.model or known:
        engine = load_model(name) if name in known else load_engine(Path(name))
        rows[name] = {}
        for part in options.set or sets:
            rows[name][part] = recognise(engine, sets[part], options.hop_ms, options.show)
            print(f"{name}, {part}: {rows[name][part].score}", flush=True)
    if len(rows) == 1:
        _print_voices(*rows.values())
    print(table(rows, known))


def _print_voices(parts: dict[str, Row]) -> None:
    """The voices that say at least ten sentences of a set."""
    for part, row in parts.items():
        for voice, score in sorted(row.score.voices.items()):
            if score.utterances >= 10:
                print(f"  {part}, {voice:18}{score}")


if __name__ == "__main__":
    main()
