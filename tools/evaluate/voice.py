"""How well the voice is understood and how it behaves: `python -m tools.evaluate.voice [--style NAME …]`.

The toy's own engine speaks sentences that were never trained on. An independent recogniser, trained on people
(pocketsphinx), writes down what it hears; flite, the teacher, reads the same sentences for comparison. Beside
that: steps in the signal where chunks join, clipping, loudness, and how fast it speaks on one thread.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import yaml
from pocketsphinx import Decoder

from epsilon.config.models import Model
from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import styletts2
from epsilon.engines.tts.phonemes import convert
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.evaluate.spectrograms import spectrogram, write_above_one_another
from tools.evaluate.word_errors import edits
from tools.train.voice.flite import Teacher

RATE_HZ = 16_000
SENTENCES = Path(__file__).parent / "voice_sentences.txt"
NEIGHBOURHOOD = 160  # samples on either side of a join that its step is compared with
CLICK = 1.5  # a step at a join this much larger than every step around it
CLIPPED = 0.999
PICTURES = 4

Sound = npt.NDArray[np.float32]


@dataclass
class Score:
    """What was found out about one voice over all sentences."""

    words: int = 0
    errors: int = 0
    teacher_errors: int = 0
    joins: int = 0
    clicks: int = 0
    clipped: int = 0
    largest_difference: float = 0.0  # streamed against said at once
    cpu_s: float = 0.0
    spoken_s: float = 0.0
    teacher_s: float = 0.0
    first_chunk_ms: list[float] = field(default_factory=list)
    levels_db: list[float] = field(default_factory=list)
    teacher_levels_db: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        understood, teachers = (
            100 * (1 - n / max(1, self.words)) for n in (self.errors, self.teacher_errors)
        )
        return (
            f"understood {understood:.1f} % of {self.words} words, its teacher {teachers:.1f} %\n"
            f"  clicks at {self.clicks} of {self.joins} joins, {self.clipped} clipped samples, "
            f"streamed and whole differ by at most {self.largest_difference:.1e}\n"
            f"  loudness {np.mean(self.levels_db):.1f} dBFS ± {np.std(self.levels_db):.1f} "
            f"(teacher {np.mean(self.teacher_levels_db):.1f}), "
            f"{100 * self.spoken_s / self.teacher_s:.0f} % of the teacher's time\n"
            f"  real-time factor {self.cpu_s / self.spoken_s:.3f} on one thread, "
            f"first chunk after {np.median(self.first_chunk_ms):.1f} ms of CPU (median)"
        )


class Judge:
    """pocketsphinx with its own English model: no part of it is ours."""

    def __init__(self) -> None:
        self._decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL")

    def hear(self, samples: Sound) -> list[str]:
        """Words understood in ±1 samples."""
        self._decoder.start_utt()
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr.lower().split() if found else []


def words(sentence: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"[a-z']+", sentence.lower())


def load_voice(folder: Path) -> styletts2.StyleTts2:
    """The toy's engine on the files of a folder, on one thread."""
    model = Model(str(folder), folder, "tts", "styletts2", "", "", "", {})
    return styletts2.load(model, onnx, Seat())


def level_db(samples: Sound) -> float:
    """RMS of the louder half of 20 ms frames, in dB below full scale."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    power = np.sort((frames.astype(np.float64) ** 2).mean(axis=1))
    return float(10 * np.log10(power[len(power) // 2 :].mean() + 1e-12))


def is_click(samples: Sound, at: int) -> bool:
    """Whether the step into sample `at` stands out from all steps around it."""
    steps = np.abs(np.diff(samples[max(0, at - NEIGHBOURHOOD) : at + NEIGHBOURHOOD]))
    own = min(at, NEIGHBOURHOOD) - 1
    return bool(steps[own] > CLICK * max(np.delete(steps, own).max(), 1e-3))


def say(voice: styletts2.StyleTts2, sentence: str, style: str, score: Score) -> Sound:
    """Speak in chunks as the toy does, and count everything that can go wrong."""
    symbols, vector = convert(sentence), voice.styles[style]
    chunks: list[Sound] = []
    joins: list[int] = []
    start = time.process_time()
    for chunk in voice.speak(symbols, Delivery(vector)):
        if not chunks:
            score.first_chunk_ms.append(1000 * (time.process_time() - start))
        chunks.append(chunk.samples)
        joins.append(sum(len(piece) for piece in chunks))
    score.cpu_s += time.process_time() - start
    samples = np.concatenate(chunks)
    score.spoken_s += len(samples) / RATE_HZ
    score.joins += len(joins) - 1
    score.clicks += sum(is_click(samples, at) for at in joins[:-1])
    score.clipped += int((np.abs(samples) >= CLIPPED).sum())
    score.levels_db.append(level_db(samples))
    return samples


def evaluate(
    folder: Path, style: str, teacher: Teacher, sentences: list[str], pictures: Path, score: Score
) -> Iterator[tuple[str, list[str]]]:
    """Say and judge each sentence, adding to the score; yields it with what was heard."""
    voice, judge = load_voice(folder), Judge()
    whole = onnx.load(folder / "model.onnx", Seat())
    for place, sentence in enumerate(sentences):
        samples = say(voice, sentence, style, score)
        at_once = whole(voice.feeds(convert(sentence), Delivery(voice.styles[style])))["audio"].reshape(-1)
        score.largest_difference = max(score.largest_difference, float(np.abs(samples - at_once).max()))
        example = teacher.say(sentence).samples.astype(np.float32) / np.float32(32768)
        score.teacher_s += len(example) / RATE_HZ
        score.teacher_levels_db.append(level_db(example))
        heard = judge.hear(samples)
        score.words += len(words(sentence))
        score.errors += edits(words(sentence), heard)
        score.teacher_errors += edits(words(sentence), judge.hear(example))
        if place < PICTURES:
            name = f"{style}-{place + 1}"
            soundfile.write(pictures / f"{name}.wav", samples, RATE_HZ)
            write_above_one_another(pictures / f"{name}.png", [spectrogram(samples), spectrogram(example)])
        yield sentence, heard


def teachers(folder: Path) -> dict[str, str]:
    """The teacher's voice behind each style, from the model's page."""
    page = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    return dict(page["teachers"])


def main() -> None:
    """Prints a score for each style; pictures and sound of the first sentences land in --pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/pocket/voice"))
    parser.add_argument("--style", action="append", help="instead of one for each teacher; may come again")
    parser.add_argument("--sentences", type=Path, default=SENTENCES, help="a file, one a line")
    parser.add_argument("--count", type=int, help="only the first so many sentences")
    parser.add_argument("--pictures", type=Path, default=Path("build/evaluate/voice"))
    parser.add_argument("--show", action="store_true", help="print what was heard")
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    sentences = options.sentences.read_text(encoding="utf-8").splitlines()[: options.count]
    known = teachers(options.model)
    distinct = {teacher: style for style, teacher in reversed(known.items())}  # the first style of each
    for style in options.style or sorted(distinct.values()):
        score = Score()
        teacher = Teacher(known[style])
        for sentence, heard in evaluate(options.model, style, teacher, sentences, options.pictures, score):
            if options.show:
                print(f"    {sentence}  |  {' '.join(heard)}")
        print(f"{style} (taught by flite {known[style]}): {score}", flush=True)
    print(f"Pictures (above: the voice, below: its teacher) and sound are in {options.pictures}.")


if __name__ == "__main__":
    main()
