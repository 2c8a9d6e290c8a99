"""Word error rates of a recogniser as it ships: `python -m tools.evaluate.ears`.

The sound goes through the toy's own engine. Sets: `seen_voices` (voices trained on, sentences that are not),
`held_out_voice`, `held_out_templates` (sentence shapes never trained on), `noise` (seen voices in pink noise
at 10 dB) and `people` (recordings of people). The speech is made anew from a
seed; that needs the distribution's flite and espeak-ng.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from epsilon.engines.asr.whisper import Whisper
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.evaluate.word_errors import edits
from tools.train.speech import shards
from tools.train.speech.shards import Utterance
from tools.train.speech.synthesis import make_evaluation_sets
from tools.train.text.sentences import load

PEOPLE = Path("tests/people")
RATE_HZ = 16_000
NOISE_DB = 10.0
PREROLL_FRAMES = RATE_HZ // 4  # the toy's stage `vad` hands over so much from before the speech
SETS = ("seen_voices", "held_out_voice", "held_out_templates", "noise", "people")


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


def hear(engine: Whisper, samples: NDArray[np.int16], hop_ms: int) -> str:
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


def main() -> None:
    """Prints a table: sets, and under each its voices if asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/pocket/ears"))
    parser.add_argument("--set", choices=SETS, action="append", help="leave out the others; may come again")
    parser.add_argument("--count", type=int, default=300, help="utterances in each synthetic set")
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
    sets = evaluation_speech(options.count, options.speech)
    sets["people"] = recordings(options.recordings)
    engine = load_engine(options.model)
    for name in [name for name in options.set or SETS if name in sets]:
        report(engine, name, sets[name], options.hop_ms, options.show)


def report(engine: Whisper, name: str, utterances: list[Utterance], hop_ms: int, show: int) -> None:
    """Recognises one set and prints its row, then a row for each voice of a small cast."""
    score, start = Score(), time.process_time()
    for place, utterance in enumerate(utterances):
        heard = hear(engine, utterance.samples, hop_ms)
        score.add(utterance.sentence, heard, utterance.voice)
        if place < show:
            print(f"    {utterance.voice}: {utterance.sentence!r} heard as {heard!r}")
    milliseconds = 1000 * (time.process_time() - start) / max(1, len(utterances))
    print(f"{name:20}{score}, {milliseconds:.0f} ms of CPU each", flush=True)
    groups = {v: s for v, s in score.voices.items() if name != "people" and s.utterances >= 10}
    for voice, part in sorted(groups.items()):
        print(f"  {voice:18}{part}")


if __name__ == "__main__":
    main()
