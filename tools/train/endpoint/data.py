"""Turns as the model hears them, kept in shards so that training makes nothing twice.

NAME.npz holds the rows of many turns one after another; NAME.json what each turn is and where it lies. Shards for
development keep their sound too (NAME.pcm), because the words of the fusion are recognised in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.endpoint.features import Features
from epsilon.engines.vad.silero import SileroDetector
from tools.train.endpoint.hearing import FOLLOW_S, WINDOW, Heard, hear, imagine
from tools.turns.making import Turn, turns
from tools.turns.worlds import World

SHARD_TURNS = 200
LEARNED_S = 1.4  # of silence after the end; more of it teaches nothing


@dataclass(frozen=True)
class Example:
    """One turn: its rows [n, SIZE], and for each whether there is voice, how long there was none, and the truth."""

    rows: NDArray[np.float16]
    voiced: NDArray[np.bool_]
    silence: NDArray[np.int16]
    over: NDArray[np.bool_]
    about: dict[str, Any]

    @property
    def heard(self) -> Heard:
        """As the stage heard it."""
        return Heard(self.about["first"], self.voiced, self.silence, self.over)

    def words_at(self, window: int) -> tuple[str, ...]:
        """The words said before a window, counted from the first."""
        time_s = (self.about["first"] + window + 1) * WINDOW / 16_000
        parts, words = self.about["parts"], list[str]()
        begins = [0.0, *(end_s for _, end_s in self.about["pauses"])]
        stops = [*(start_s for start_s, _ in self.about["pauses"]), self.about["end_s"]]
        for text, begin_s, stop_s in zip(parts, begins, stops, strict=True):
            share = 1.0 if time_s >= stop_s - 0.15 else (time_s - begin_s) / (stop_s - begin_s)
            said = text.split()
            words += said[: round(max(0.0, share) * len(said))]
        return tuple(words)


def make_shard(
    folder: Path,
    name: str,
    seed: int,
    world: World,
    count: int,
    keep_sound: bool = False,
    imagined: bool = False,
) -> None:
    """Speak, hear and store `count` turns; a shard that is there already stays. `imagined`: no detector hears them."""
    if (folder / f"{name}.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    detector, features, rng = SileroDetector(), Features(), np.random.default_rng(seed)
    columns: list[list[Any]] = [[], [], [], []]
    sound, abouts, place = list[NDArray[np.int16]](), list[dict[str, Any]](), 0
    for turn in islice(turns(seed, world), count):
        if imagined:
            heard = imagine(turn.label, LEARNED_S, rng)
        else:
            heard = hear(turn.samples, turn.label.end_s, detector, FOLLOW_S if keep_sound else LEARNED_S)
        if heard is None:
            continue
        rows = rows_of(turn, heard, features)
        for column, values in zip(columns, (rows, heard.voiced, heard.silence, heard.over), strict=True):
            column.append(values)
        abouts.append(_about(turn, heard, place))
        place += len(turn.samples)
        sound.append(np.asarray(turn.samples * 32767, np.int16))
    rows, voiced, silence, over = (np.concatenate(column) for column in columns)
    np.savez(folder / f"{name}.npz", rows=rows, voiced=voiced, silence=silence, over=over)
    if keep_sound:
        np.concatenate(sound).tofile(folder / f"{name}.pcm")
    part = folder / f"{name}.part"
    part.write_text(json.dumps(abouts))
    part.rename(folder / f"{name}.json")


def rows_of(turn: Turn, heard: Heard, features: Features) -> NDArray[np.float16]:
    """The model's rows of a turn."""
    features.reset()
    begin = heard.first * WINDOW
    sound = turn.samples[begin : begin + len(heard.voiced) * WINDOW]
    return features.rows(sound, heard.voiced.tolist()).astype(np.float16)


def _about(turn: Turn, heard: Heard, place: int) -> dict[str, Any]:
    parts, text = list[str](), ""
    for part in turn.script.parts:
        text = f"{text} {part.text}".strip()
        if part.pause_s:
            parts.append(text)
            text = ""
    about = asdict(turn.label) | {"first": heard.first, "windows": len(heard.voiced), "parts": [*parts, text]}
    return about | {"place": place, "samples": len(turn.samples)}


def read(folder: Path, name: str) -> list[Example]:
    """The turns of one shard."""
    stored = np.load(folder / f"{name}.npz")
    columns = [stored[key] for key in ("rows", "voiced", "silence", "over")]
    examples, place = [], 0
    for about in json.loads((folder / f"{name}.json").read_text()):
        end = place + about["windows"]
        rows, voiced, silence, over = (column[place:end] for column in columns)
        examples.append(Example(rows, voiced, silence, over, about))
        place = end
    return examples


def sound_of(folder: Path, name: str, example: Example) -> NDArray[np.float32]:
    """The sound of a turn of a shard that kept it."""
    samples = np.memmap(folder / f"{name}.pcm", np.int16, "r")
    start = example.about["place"]
    sound: NDArray[np.float32] = samples[start : start + example.about["samples"]].astype(np.float32)
    return sound / np.float32(32767)
