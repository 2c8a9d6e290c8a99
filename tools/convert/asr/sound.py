"""Speech to measure a conversion on: a folder of recordings, or sentences said by flite or espeak-ng."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from epsilon.dsp.mel import SAMPLE_RATE_HZ
from epsilon.dsp.resample import resample
from epsilon.errors import ModelError
from epsilon.ring import Samples

ENDINGS = (".wav", ".flac", ".ogg")
SENTENCES = (  # from one word to some six seconds
    "Hello.",
    "Yes, please.",
    "What is your name?",
    "Tell me a story.",
    "I would like an apple and a glass of milk.",
    "How many legs does a spider have?",
    "Can you help me find my blue jacket before we go?",
    "The little dog ran across the garden and barked at the postman.",
    "When it stops raining we could walk down to the river and feed the ducks.",
    "My grandmother lives in a small house near the sea, and every summer we visit her for two weeks.",
)
VOICES = (("flite", "slt"), ("espeak-ng", "en-us"), ("flite", "rms"), ("espeak-ng", "en-gb+f3"))


@dataclass(frozen=True)
class Clip:
    """Some seconds of speech, float32 at 16 kHz."""

    name: str
    sound: Samples

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.sound) / SAMPLE_RATE_HZ


def clips(folder: Path | None) -> list[Clip]:
    """The recordings in a folder, or synthetic speech; none when neither synthesizer is installed."""
    return recordings(folder) if folder else spoken()


def recordings(folder: Path) -> list[Clip]:
    """Every recording in a folder, shortest first; ModelError when there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not paths:
        raise ModelError(f"there is no {', '.join(ENDINGS)} in it", where=str(folder))
    return sorted((read(path) for path in paths), key=lambda clip: clip.seconds)


def read(path: Path) -> Clip:
    """A recording as 16 kHz mono."""
    try:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ModelError(f"cannot be read as sound: {error}", where=str(path)) from error
    return Clip(path.name, resample(np.ascontiguousarray(sound.mean(axis=1)), rate_hz, SAMPLE_RATE_HZ))


def spoken() -> list[Clip]:
    """The sentences, each by the next of the voices that are installed."""
    there = [voice for voice in VOICES if shutil.which(voice[0])]
    if not there:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        said = []
        for place, sentence in enumerate(SENTENCES):
            _say(sentence, *there[place % len(there)], path)
            said.append(Clip(f"sentence {place + 1}", read(path).sound))
    return said


def _say(sentence: str, program: str, voice: str, path: Path) -> None:
    if program == "flite":
        command = ["flite", "-voice", voice, "-t", sentence, "-o", str(path)]
    else:
        command = ["espeak-ng", "-v", voice, "-w", str(path), sentence]
    subprocess.run(command, check=True, capture_output=True)
