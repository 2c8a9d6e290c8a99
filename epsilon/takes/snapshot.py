"""Snapshots of a take that is played again: where nobody speaks, so that the next look can begin there.

They lie in the take's folder, snapshots/SECONDS.npz, and are good for the program, models and machine that made them;
others are passed over and made anew.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.audio_files import finished
from epsilon.floor import LISTENING
from epsilon.stages.llm import Llm
from epsilon.stages.playback import Playback
from epsilon.stages.vad import WINDOW_FRAMES, Vad
from epsilon.takes.again import Again
from epsilon.takes.checks import TakeError, parsed
from epsilon.takes.folder import header_of
from epsilon.takes.frozen import Arrays, differences, put, start_of, thawed
from epsilon.takes.written import Json
from epsilon.toy import Toy

FOLDER = "snapshots"
RATE_HZ = 16_000
SPACING_S = 10.0
AWHILE_FRAMES = (
    RATE_HZ  # after which a detector that is told nothing of it hears the same as one that listened closely
)
TEXT, CACHE, LOGITS = "text", "cache", "logits"
# What reading a damaged one may come to: it is a file of ours, and may have been somebody else's since.
UNREADABLE = (
    *(
        OSError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        NotImplementedError,
    ),
    *(zipfile.BadZipFile, zlib.error, TakeError),
)


@dataclass(frozen=True)
class Snapshot:
    """Where it was made, and what was remembered there."""

    told: Json
    values: dict[str, Any]
    cache: Any
    logits: Any

    @property
    def at_s(self) -> float:
        """Seconds of sound before it."""
        return float(self.told["frame"]) / RATE_HZ


class Snapshots:
    """Those of one take, for one toy that was just built from it."""

    def __init__(self, again: Again) -> None:
        self._again, self._start = again, start_of(again.toy)
        self._folder = again.take.folder / FOLDER
        facts = header_of(again.toy, again.take.pace, [], "")
        told = json.dumps([facts, len(again.take.lines)], sort_keys=True)
        self._key = hashlib.sha256(told.encode()).hexdigest()
        self._last_s = 0.0

    def before(self, time_s: float) -> Snapshot | None:
        """The last one that was made before `time_s` of the sound."""
        found = [path for path in self._folder.glob("*.npz") if _seconds(path) <= time_s]
        for path in sorted(found, key=_seconds, reverse=True):
            snapshot = self._read(path)
            if snapshot is not None:
                return snapshot
        return None

    def keep(self) -> None:
        """Make one, if this is the moment and the last is long enough ago."""
        frame = self._again.toy.microphone.written
        if frame / RATE_HZ - self._last_s < SPACING_S or not at_rest(self._again.toy):
            return
        self._last_s = frame / RATE_HZ
        llm = _llm(self._again.toy)
        values, arrays = differences(self._again.toy, self._start)
        told = {
            "key": self._key,
            "frame": frame,
            "next": self._again.next_line,
            "passed": dict(Counter(line["ring"] for line in self._again.found)),
            "ids": [int(token) for token in llm.sequence.ids],
            "cached": getattr(llm.sequence, "cached", len(llm.sequence.ids)),
            "values": values,
        }
        cache = llm.model.store(llm.model.fork(llm.sequence))
        self._write(told, arrays, cache, getattr(llm.sequence, "logits", None))

    def begin_at(self, snapshot: Snapshot) -> None:
        """Bring the toy, which has not been played yet, to where the snapshot was made."""
        told, toy = snapshot.told, self._again.toy
        self._last_s = snapshot.at_s
        self._again.card.start()
        _hear_again(self._again, told["frame"])
        for path, value in snapshot.values.items():
            put(toy, path, value)
        llm = _llm(toy)
        llm.sequence = llm.model.restore(told["ids"], snapshot.cache)
        if told["cached"] < len(
            told["ids"]
        ):  # what was sampled last is digested with what comes next, as it was
            llm.model.decoder.keep(llm.sequence.cache, told["cached"])  # type: ignore[attr-defined]
            llm.sequence.cached = told["cached"]
        llm.sequence.logits = snapshot.logits
        self._again.begin_behind(told["next"], Counter(told["passed"]))

    def _write(self, told: Json, arrays: Arrays, cache: Any, logits: Any) -> None:
        text = np.frombuffer(json.dumps(told, ensure_ascii=False).encode(), np.uint8)
        named = {f"a{place}": array for place, array in enumerate(arrays.all)}
        if logits is not None:
            named[LOGITS] = logits
        with (
            finished(self._folder / f"{self._last_s:010.3f}.npz") as unfinished,
            unfinished.open("wb") as file,
        ):
            np.savez_compressed(file, **{TEXT: text, CACHE: cache, **named})

    def _read(self, path: Path) -> Snapshot | None:
        """None for one that another program or machine made, or that is damaged: it is made anew."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                told = parsed(kept[TEXT].tobytes().decode(), str(path))
                if told.get("key") != self._key:
                    return None
                arrays = Arrays(
                    [kept[f"a{place}"] for place in range(len(kept.files)) if f"a{place}" in kept]
                )
                values = {name: thawed(value, arrays) for name, value in told["values"].items()}
                return Snapshot(told, values, kept[CACHE], kept.get(LOGITS))
        except UNREADABLE:
            return None


def at_rest(toy: Toy) -> bool:
    """True while nobody speaks, nobody waits for an answer, and nothing is on its way."""
    vad, llm = next(stage for stage in toy.stages if isinstance(stage, Vad)), _llm(toy)
    playback = next(stage for stage in toy.stages if isinstance(stage, Playback))
    silent = vad.floor.state is LISTENING and not (vad.owing or vad.to_ask_again or vad.voiced_frames)
    silent &= vad.reader.at - vad.closely_at >= AWHILE_FRAMES
    idle = llm.answer is None and playback.mark is None and not len(playback.murmur) and not toy.turn.held
    return silent and idle and not any(len(inbox) for stage in toy.stages for inbox in stage.inboxes)


def _hear_again(again: Again, frame: int) -> None:
    """Let whoever keeps what it hears where nobody can look, in code that is not Python, hear all of it again."""
    vad = next(stage for stage in again.toy.stages if isinstance(stage, Vad))
    while again.toy.microphone.written < frame:
        again.pass_block()
        while vad.reader.available >= WINDOW_FRAMES:
            vad.detector.push(vad.reader.read(WINDOW_FRAMES))


def _llm(toy: Toy) -> Llm:
    return next(stage for stage in toy.stages if isinstance(stage, Llm))


def _seconds(path: Path) -> float:
    try:
        return float(path.stem)
    except ValueError:
        return float("inf")
