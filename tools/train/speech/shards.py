"""Shards of speech on disk: raw int16 samples in NAME.pcm, what they are in NAME.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.train.speech.voices import RATE_HZ, Samples


@dataclass(frozen=True)
class Utterance:
    """One sentence, who says it, and its 16 kHz samples (memory-mapped)."""

    sentence: str
    voice: str
    samples: Samples


def joined(parts: Sequence[Utterance], gaps_s: Sequence[float]) -> Utterance:
    """Said one after another with these gaps between them; the voice is the first one's."""
    pieces = [parts[0].samples]
    for gap_s, part in zip(gaps_s, parts[1:], strict=True):
        pieces += [np.zeros(int(gap_s * RATE_HZ), np.int16), part.samples]
    return Utterance(" ".join(part.sentence for part in parts), parts[0].voice, np.concatenate(pieces))


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
