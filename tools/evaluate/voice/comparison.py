"""A speaker's sentences beside its teacher's, added up: words, melody, timing, spectrum, faults, speed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from epsilon.ring import Samples
from tools.evaluate.voice import RATE_HZ, faults, pitch, spectra, timing
from tools.evaluate.voice.judge import Judge, Understood
from tools.evaluate.voice.pitch import CENT
from tools.evaluate.voice.speakers import Said
from tools.evaluate.voice.teachers import Reading

Figures = dict[str, Any]
GROSS_CENTS = 316.0  # 20 %: a tracker or a voice that is in another octave
FEWEST_VOICED = 10  # frames of a sentence that a correlation needs


@dataclass
class Likeness:
    """How far the dry sound is from the teacher's, sentence after sentence."""

    cents: list[float] = field(default_factory=list)  # ours above theirs, frames that are voiced in both
    correlations: list[float] = field(default_factory=list)  # of the two melodies, one a sentence
    tracker_cents: list[float] = field(default_factory=list)  # the tracker against what flite meant
    voicing: list[bool] = field(default_factory=list)  # whether both are voiced, or both not
    distortion_db: list[float] = field(default_factory=list)
    phonemes_ms: list[Any] = field(default_factory=list)  # pairs [phonemes, 2]
    phonemes: int = 0  # of the teacher, matched or not
    ours_s: float = 0.0
    theirs_s: float = 0.0

    def add(self, said: Said, reading: Reading) -> None:
        """One more sentence in both."""
        ours, theirs = spectra.mel_cepstra(said.dry), spectra.mel_cepstra(reading.samples)
        path = spectra.in_step(ours, theirs)
        levels = spectra.levels_db(reading.samples)
        path = path[levels[path[:, 1]] > levels.max() - spectra.QUIET_DB]
        self.distortion_db += spectra.distortion_db(ours, theirs, path).tolist()
        their_f0_hz = pitch.track(reading.samples)
        self._melody(pitch.track(said.dry)[path[:, 0]], their_f0_hz[path[:, 1]])
        self.tracker_cents += _cents(their_f0_hz, reading.f0_hz.astype(np.float64)).tolist()
        self._timing(said, reading)

    def _melody(self, ours_hz: pitch.Floats, theirs_hz: pitch.Floats) -> None:
        both = (ours_hz > 0) & (theirs_hz > 0)
        self.voicing += ((ours_hz > 0) == (theirs_hz > 0)).tolist()
        self.cents += _cents(ours_hz, theirs_hz).tolist()
        if both.sum() >= FEWEST_VOICED:
            melodies = np.log(ours_hz[both]), np.log(theirs_hz[both])
            if all(melody.std() > CENT for melody in melodies):
                self.correlations.append(float(np.corrcoef(*melodies)[0, 1]))

    def _timing(self, said: Said, reading: Reading) -> None:
        self.ours_s += len(said.dry) / RATE_HZ
        self.theirs_s += sum(reading.durations_ms) / 1000
        self.phonemes += sum(symbol.isalnum() for symbol in reading.symbols)
        if len(said.ends) == len(said.symbols):
            ours_ms = timing.durations(said.ends, 1000 / RATE_HZ)
            pairs = timing.matched(said.symbols, ours_ms, reading.symbols, reading.durations_ms)
            self.phonemes_ms.append(pairs)

    def figures(self) -> Figures:
        """Everything as numbers."""
        cents = np.array(self.cents or [np.nan])
        pairs = np.concatenate(self.phonemes_ms) if self.phonemes_ms else np.zeros((0, 2))
        apart = np.abs(pairs[:, 0] - pairs[:, 1])
        known = len(pairs) > 0
        return {
            "f0_rmse_cents": _rms(cents),
            "f0_offset_cents": float(np.median(cents)),
            "f0_gross_percent": 100 * float((np.abs(cents) > GROSS_CENTS).mean()),
            "f0_correlation": _mean(self.correlations),
            "f0_tracker_rmse_cents": _rms(np.array(self.tracker_cents or [np.nan])),
            "voicing_differs_percent": 100 * (1 - _mean(self.voicing)),
            "mel_cepstral_distortion_db": _mean(self.distortion_db),
            "phoneme_error_ms": float(apart.mean()) if known else None,
            "phoneme_error_percent": 100 * float(apart.sum() / pairs[:, 1].sum()) if known else None,
            "phonemes_matched_percent": 100 * len(pairs) / max(1, self.phonemes) if known else None,
            "time_percent": 100 * self.ours_s / self.theirs_s,
        }


@dataclass
class Sounding:
    """What the sound is by itself, effects included."""

    chunks: int = 0
    borders: int = 0
    clicks: int = 0
    border_clicks: int = 0
    clipped: int = 0
    difference: float | None = None  # the largest of streamed against said at once
    levels_db: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    spoken_s: float = 0.0
    first_ms: list[float] = field(default_factory=list)

    def add(self, said: Said, at_once: Callable[[Said], float | None]) -> None:
        """One more sentence; `at_once` says how far it is from the same phrase said at once."""
        self.chunks += len(said.joins)
        self.borders += len(said.borders)
        self.clicks += sum(faults.is_click(said.wet, at) for at in said.joins)
        self.border_clicks += sum(faults.breaks_off(said.wet, at) for at in said.borders)
        self.clipped += faults.clipped(said.wet)
        self.levels_db.append(faults.level_db(said.wet))
        self.cpu_s += said.cpu_s
        self.spoken_s += len(said.wet) / RATE_HZ
        self.first_ms.append(1000 * said.first_cpu_s)
        apart = at_once(said)
        if apart is not None:
            self.difference = max(self.difference or 0.0, apart)

    def figures(self) -> Figures:
        """Everything as numbers."""
        return {
            "clicks": {
                "chunk joins": [self.clicks, self.chunks],
                "phrases": [self.border_clicks, self.borders],
            },
            "clipped_samples": self.clipped,
            "level_db": _mean(self.levels_db),
            "level_spread_db": float(np.std(self.levels_db)),
            "streamed_against_whole": self.difference,
            "real_time_factor": self.cpu_s / self.spoken_s,
            "first_chunk_cpu_ms": float(np.median(self.first_ms)),
            "seconds": self.spoken_s,
        }


@dataclass
class Score:
    """Everything about one speaker over all sentences; `teacher` is None where the voice had none of ours."""

    judge: Judge
    words: Understood = field(default_factory=Understood)
    teachers_words: Understood = field(default_factory=Understood)
    likeness: Likeness = field(default_factory=Likeness)
    sounding: Sounding = field(default_factory=Sounding)
    heard: list[dict[str, str]] = field(default_factory=list)

    def add(self, sentence: str, said: Said, at_once: Callable[[Said], float | None]) -> None:
        """What the speaker said of a sentence."""
        words = self.judge.hear(said.wet)
        self.words.add(sentence, words)
        self.sounding.add(said, at_once)
        self.heard.append({"text": sentence, "heard": " ".join(words)})

    def add_teacher(self, sentence: str, said: Said, plain: Samples, alike: Reading) -> None:
        """The teacher's sound of it, at its own pace and pitch, and its reading at the speaker's."""
        words = self.judge.hear(plain)
        self.teachers_words.add(sentence, words)
        self.likeness.add(said, alike)
        self.heard[-1]["teacher"] = " ".join(words)

    def figures(self) -> Figures:
        """Everything as numbers."""
        taught = self.teachers_words.words > 0
        found: Figures = {"words": self.words.words, "understood_percent": self.words.percent}
        if taught:
            found["teacher_understood_percent"] = self.teachers_words.percent
            found["points_behind_teacher"] = self.teachers_words.percent - self.words.percent
            found |= self.likeness.figures()
        return found | self.sounding.figures() | {"sentences": self.heard}


def _cents(ours_hz: pitch.Floats, theirs_hz: pitch.Floats) -> pitch.Floats:
    """How far apart they are where both have a pitch; the longer one's end does not count."""
    count = min(len(ours_hz), len(theirs_hz))
    ours_hz, theirs_hz = ours_hz[:count], theirs_hz[:count]
    both = (ours_hz > 0) & (theirs_hz > 0)
    return np.asarray(np.log(ours_hz[both] / theirs_hz[both]) / CENT)


def _rms(values: pitch.Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
