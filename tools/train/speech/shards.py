"""Shards of speech on disk: raw int16 samples in NAME.pcm, what they are in NAME.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.train.speech.voices import Samples


@dataclass(frozen=True)
class Utterance:
    """One sentence, who says it, and its 16 kHz samples (memory-mapped)."""

    sentence: str
    voice: str
    samples: Samples


def write(path: Path, utterances: list[Utterance]) -> None:
    """Writes NAME.pcm, then NAME.json under its final name, so that a reader never meets half a shard."""
    rows, offset = [], 0
    with path.with_suffix(".pcm").open("wb") as file:
        for utterance in utterances:
            utterance.samples.tofile(file)
            rows.append([utterance.sentence, utterance.voice, offset, int(utterance.samples.size)])
            offset += int(utterance.samples.size)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rows))
    part.rename(path.with_suffix(".json"))


def read(path: Path) -> list[Utterance]:
    """The utterances of one shard; `path` is its .json file."""
    samples = np.memmap(path.with_suffix(".pcm"), np.int16, "r")
    return [
        Utterance(sentence, voice, samples[offset : offset + count])
        for sentence, voice, offset, count in json.loads(path.read_text())
    ]
