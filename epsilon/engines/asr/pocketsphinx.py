"""PocketSphinx: a classical recogniser whose acoustic model was trained on people, with words of our choice.

The acoustic model comes inside the package `pocketsphinx` (Huggins-Daines et al. 2006); the model folder holds the
language model (words.arpa), how the words are pronounced (words.dict) and model.yaml. Every pass hears the whole
utterance again, because the mean of the spectrum, which takes room and microphone out of it, must be that of the
whole: with a running mean it makes twice the mistakes. What two passes agree on is settled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx

from epsilon.config.models import Model
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Hypothesis
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples

NEEDS_RUNTIME = False  # the package computes by itself
FRAMES_PER_SECOND = 100  # of its features
SHORTEST_S = 0.3  # less sound than this has no mean worth taking off
UNSETTLED_S = 1.0  # the last second's words may still change
NOISE_PROBABILITY = 1e-2  # how readily a sound is taken for a noise or for words that are not in the list
NEVER = 1e-30
LONGEST_S = 15.0  # an utterance that goes on longer is cut behind a settled word


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it ends, in features of 10 ms from the start of the sound that was heard."""

    text: str
    end: int


@dataclass
class Hearing:
    """One utterance so far. `earlier` holds the words of what was cut off when it grew too long."""

    sound: bytearray = field(default_factory=bytearray)  # 16 bit
    earlier: tuple[str, ...] = ()
    settled: list[Word] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)  # of the last pass, the settled ones first
    passed: int = 0  # bytes of sound that the last pass heard

    @property
    def hypothesis(self) -> Hypothesis:
        """What is understood so far."""
        texts = tuple(word.text for word in self.words)
        count = len(self.settled)
        return Hypothesis(self.earlier + texts[:count], texts[count:])


class PocketSphinx:
    """The recogniser; see epsilon.engines.protocols.Recognizer."""

    def __init__(self, folder: Path) -> None:
        facts = Facts(folder / "model.yaml")
        self._least_sure = facts.number("min_log10_probability")  # mean over the words
        self._slowest_ms = facts.number("max_phone_ms")  # mean over the words
        self._decoder = _decoder(folder, facts)

    def start(self) -> Hearing:
        """The state of a new utterance."""
        return Hearing()

    def hear(self, hearing: Hearing, samples: Samples) -> Hypothesis:
        """Take further samples [n] at 16 kHz; one pass over the whole utterance."""
        hearing.sound += (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        enough = len(hearing.sound) >= _bytes(SHORTEST_S)
        if enough and len(hearing.sound) > hearing.passed:
            self._listen(hearing)
            if len(hearing.sound) > _bytes(LONGEST_S):
                _cut(hearing)
        return hearing.hypothesis

    def finish(self, hearing: Hearing) -> Hypothesis:
        """All words committed. The last pass has heard all the sound, so nothing is left to compute."""
        heard = hearing.hypothesis
        return Hypothesis(heard.committed + heard.tail)

    def recognise(self, sound: bytes) -> list[Word]:
        """The words in 16-bit samples at 16 kHz; none where the decoder only guesses."""
        decoder = self._decoder
        decoder.reinit_feat()  # else what it learnt of the last sound's noise would change these words
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return []
        spoken = [part for part in decoder.seg() if part.word[0] not in "<["]  # not silence, not noises
        words = [Word(part.word.partition("(")[0], part.end_frame) for part in spoken]
        return words if self._is_believable(spoken) else []

    def _is_believable(self, spoken: list[Any]) -> bool:
        """Whether this can be speech: noises and music become unlikely words or very long ones."""
        phones = sum(len(self._decoder.lookup_word(part.word).split()) for part in spoken)
        frames = sum(part.end_frame - part.start_frame + 1 for part in spoken)
        sure = sum(math.log10(max(part.prob, NEVER)) for part in spoken)
        slow_ms = 1000 * frames / FRAMES_PER_SECOND / max(1, phones)
        return slow_ms <= self._slowest_ms and sure >= self._least_sure * len(spoken)

    def _listen(self, hearing: Hearing) -> None:
        before = hearing.words
        hearing.passed = len(hearing.sound)
        found = self.recognise(bytes(hearing.sound))
        last = hearing.settled[-1].end if hearing.settled else -1
        hearing.words = hearing.settled + [word for word in found if word.end > last + 1]
        sure = hearing.passed / _bytes(1 / FRAMES_PER_SECOND) - UNSETTLED_S * FRAMES_PER_SECOND
        count = len(hearing.settled)
        for old, new in zip(before[count:], hearing.words[count:], strict=False):
            if old.text != new.text or new.end > sure:
                break
            count += 1
        hearing.settled = hearing.words[:count]


def load(model: Model, runtime: object, seat: Seat) -> PocketSphinx:
    """The recogniser with the words of a model folder; it runs on the caller's thread, so on its cores."""
    return PocketSphinx(model.folder)


def _decoder(folder: Path, facts: Facts) -> pocketsphinx.Decoder:
    paths = {name: folder / f"words.{ending}" for name, ending in (("lm", "arpa"), ("dict", "dict"))}
    _demand_whole(paths["lm"], b"\\end\\\n")
    _demand_whole(paths["dict"], b"\n")
    try:
        return pocketsphinx.Decoder(
            samprate=SAMPLE_RATE_HZ,
            loglevel="FATAL",
            cmn="batch",
            fillprob=NOISE_PROBABILITY,
            lw=facts.number("language_weight"),
            **{name: str(path) for name, path in paths.items()},
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"cannot be loaded: {error}", where=str(folder)) from error


def _demand_whole(path: Path, ending: bytes) -> None:
    """The package says of a broken file only that something is broken."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not content.endswith(ending):
        raise ModelError("is cut short", where=str(path))


def _cut(hearing: Hearing) -> None:
    """Lets go of the sound up to the last settled word; where none is, of all but the last second."""
    last = len(hearing.sound) // _bytes(1 / FRAMES_PER_SECOND) - UNSETTLED_S * FRAMES_PER_SECOND
    gone = hearing.settled or [word for word in hearing.words if word.end <= last]
    end = gone[-1].end if gone else int(last)
    hearing.earlier += tuple(word.text for word in gone)
    hearing.words = [Word(word.text, word.end - end) for word in hearing.words[len(gone) :]]
    hearing.settled = []
    del hearing.sound[: _bytes(end / FRAMES_PER_SECOND)]
    hearing.passed = len(hearing.sound)


def _bytes(seconds: float) -> int:
    return 2 * round(seconds * SAMPLE_RATE_HZ)
