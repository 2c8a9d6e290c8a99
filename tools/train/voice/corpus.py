"""Makes the training corpus: texts are spoken by the teacher and stored as tokens, durations, filters, F0 and sound.

One file a voice, arrays of all utterances end to end. Frames are 10 ms (HOP_SAMPLES), every second frame of
the teacher.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE, TOKENS
from tools.train.voice.flite import FRAME_SAMPLES, Phone, Said, Teacher
from tools.train.voice.spectrum import sharpen, student_filters

HOP_SAMPLES = 160
LEAD_FRAMES = 3  # silence kept in front of a phrase
TAIL_FRAMES = (
    2  # silence that belongs to the closing pad; the rest of a pause belongs to the punctuation before it
)
_STEP = HOP_SAMPLES // FRAME_SAMPLES
_WIDE, _SEMITONES = 0.5, 5.0  # share of utterances read far from the voice's own manner, and how far
_ID = {token: i for i, token in enumerate(TOKENS)}
_MARKS = str.maketrans({";": ",", ":": ",", "(": ",", ")": ","})


@dataclass
class Corpus:
    """Utterances of one voice, end to end. `token_ends[i]` and `frame_ends[i]` are where utterance i ends."""

    tokens: NDArray[np.int16]
    durations: NDArray[np.int16]  # frames of each token
    token_ends: NDArray[np.int64]
    f0_hz: NDArray[np.float32]  # interpolated through unvoiced stretches
    voiced: NDArray[np.bool_]
    pulse: NDArray[np.float16]  # [frames, ORDER] mel-cepstrum of the filter for the pulses
    noise: NDArray[np.float16]  # [frames, ORDER] the same for the noise
    frame_ends: NDArray[np.int64]
    samples: NDArray[np.int16]  # HOP_SAMPLES for each frame
    stretch: NDArray[np.float32]  # per utterance: how much slower than the voice's own pace
    pitch: NDArray[np.float32]  # per utterance: how much higher than the voice's own pitch

    def save(self, path: Path) -> None:
        """Write to `path` (.npz)."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "Corpus":
        """Read what `save` wrote."""
        with np.load(path) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})

    def __len__(self) -> int:
        return len(self.token_ends)


def symbol(phone: Phone) -> str:
    """ARPAbet with stress of a flite phone. flite's `ax` is ARPAbet's unstressed AH, and only that."""
    if phone.name == "ax":
        return "AH0"
    if phone.name == "ah":
        return "AH1"
    name = phone.name.upper()
    return name if name in _ID else name + ("1" if phone.stressed else "0")


def _mark(punctuation: str) -> str:
    found = [mark for mark in punctuation.translate(_MARKS) if mark in PUNCTUATION]
    return found[0] if found else SPACE


def _end_frame(phone: Phone) -> int:
    return int(phone.end_s / (HOP_SAMPLES / 16000)) + 1


def spell(phones: Sequence[Phone], frames: int) -> tuple[list[str], list[int], int]:
    """Tokens, the frames of each, and the first frame that is kept, of an utterance `frames` long."""
    tokens, durations = [PAD], [LEAD_FRAMES]
    first = max(0, _end_frame(phones[0]) - LEAD_FRAMES)
    at = first + LEAD_FRAMES
    mark = ""
    for phone in phones[1:]:
        end = min(_end_frame(phone), frames)
        if phone.name == "pau" or phone.starts_word:
            if mark:
                tokens.append(mark)
                durations.append(0)
            mark = ""
        if phone.name == "pau":
            durations[-1] += end - at
        else:
            tokens.append(symbol(phone))
            durations.append(end - at)
            mark = _mark(phone.punctuation)
        at = end
    tail = min(TAIL_FRAMES, durations[-1])
    durations[-1] -= tail
    return [*tokens, PAD], [*durations, tail], first


def _continuous(f0_hz: NDArray[np.float32]) -> NDArray[np.float32]:
    """F0 with unvoiced stretches bridged in a straight line; 100 Hz if nothing is voiced."""
    at = np.flatnonzero(f0_hz)
    if not len(at):
        return np.full_like(f0_hz, 100.0)
    return np.interp(np.arange(len(f0_hz)), at, f0_hz[at]).astype(np.float32)


@dataclass
class _Utterance:
    tokens: list[int]
    durations: list[int]
    f0_hz: NDArray[np.float32]
    voiced: NDArray[np.bool_]
    pulse: NDArray[np.float16]
    noise: NDArray[np.float16]
    samples: NDArray[np.int16]


def _utterance(said: Said, teacher: Teacher) -> _Utterance | None:
    """The training example of one utterance, or None where tokens and sound do not fit together."""
    frames = (len(said.f0_hz) - 1) // _STEP
    tokens, durations, first = spell(said.phones, frames)
    kept = slice(first, first + sum(durations))
    if min(durations) < 0 or kept.stop > frames or not set(tokens) <= set(TOKENS):
        return None
    middle = slice(1, None, _STEP)  # the teacher's parameters in the middle of each of our frames
    sharp = sharpen(said.cepstrum[middle].astype(np.float64), teacher.alpha, teacher.beta)
    gain = teacher.gain / 32768
    pulse, noise = student_filters(sharp, said.strengths[middle].astype(np.float64), teacher.filters, gain)
    return _Utterance(
        tokens=[_ID[token] for token in tokens],
        durations=durations,
        f0_hz=_continuous(said.f0_hz)[middle][kept],
        voiced=(said.f0_hz[middle] > 0)[kept],
        pulse=pulse[kept].astype(np.float16),
        noise=noise[kept].astype(np.float16),
        samples=said.samples[kept.start * HOP_SAMPLES : kept.stop * HOP_SAMPLES],
    )


def _manner(rng: random.Random) -> tuple[float, float]:
    """How much slower and how much higher than by itself: mostly a little, often as far as characters go."""
    wide = rng.random() < _WIDE
    stretch = rng.uniform(0.75, 1.35) if wide else rng.uniform(0.88, 1.15)
    semitones = rng.uniform(-_SEMITONES, _SEMITONES) if wide else rng.uniform(-2.0, 2.0)
    return stretch, math.exp(semitones * math.log(2) / 12)


def _utterances(
    teacher: Teacher, texts: Iterator[str], rng: random.Random, hours: float
) -> Iterator[tuple[_Utterance, float, float]]:
    frames_left = hours * 3600 * 16000 / HOP_SAMPLES
    while frames_left > 0:
        stretch, pitch = _manner(rng)
        said = teacher.say(next(texts), stretch, pitch)
        utterance = _utterance(said, teacher) if said.phones else None
        if utterance is not None:
            frames_left -= len(utterance.f0_hz)
            yield utterance, stretch, pitch


def build(voice: str, texts: Iterator[str], hours: float, seed: int) -> Corpus:
    """Have `voice` read texts until `hours` of sound are made (about 40 times faster than real time)."""
    spoken = list(_utterances(Teacher(voice), texts, random.Random(seed), hours))
    utterances = [row[0] for row in spoken]
    return Corpus(
        tokens=np.concatenate([u.tokens for u in utterances]).astype(np.int16),
        durations=np.concatenate([u.durations for u in utterances]).astype(np.int16),
        token_ends=np.cumsum([len(u.tokens) for u in utterances]),
        f0_hz=np.concatenate([u.f0_hz for u in utterances]),
        voiced=np.concatenate([u.voiced for u in utterances]),
        pulse=np.concatenate([u.pulse for u in utterances]),
        noise=np.concatenate([u.noise for u in utterances]),
        frame_ends=np.cumsum([len(u.f0_hz) for u in utterances]),
        samples=np.concatenate([u.samples for u in utterances]),
        stretch=np.array([row[1] for row in spoken], dtype=np.float32),
        pitch=np.array([row[2] for row in spoken], dtype=np.float32),
    )
