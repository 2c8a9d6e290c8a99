"""The independent recogniser: pocketsphinx with its own model of people, no part of which is ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

from epsilon.emulation.word_errors import edits
from epsilon.ring import Samples
from tools.evaluate.voice import RATE_HZ

WORD = re.compile(r"[a-z']+")


class Judge:
    """Writes down what it hears. Equal sound gives equal words: each is normalised by itself (batch CMN).

    A second of sound costs a third of a second of CPU and more, so what was heard once is kept in `memory`, a file with
    a line for each sound: the digest of its samples, then the words. None remembers nothing.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL", cmn="batch")
        self._memory = memory
        lines = memory.read_text(encoding="utf-8").splitlines() if memory and memory.exists() else []
        self._heard = {digest: heard for digest, _, heard in (line.partition(" ") for line in lines)}

    def hear(self, samples: Samples) -> list[str]:
        """Words understood in ±1 samples [n] at 16 kHz."""
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
        digest = hashlib.sha1(pcm, usedforsecurity=False).hexdigest()
        if digest not in self._heard:
            self._heard[digest] = self._listen(pcm)
            self._keep(digest)
        return self._heard[digest].split()

    def _listen(self, pcm: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr.lower() if found else ""

    def _keep(self, digest: str) -> None:
        if self._memory:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            with self._memory.open("a", encoding="utf-8") as file:
                file.write(f"{digest} {self._heard[digest]}\n")


@dataclass
class Understood:
    """Words of the texts, and how many edits away what was heard is."""

    words: int = 0
    errors: int = 0

    def add(self, sentence: str, heard: Sequence[str]) -> None:
        """Count one more text."""
        wanted = words(sentence)
        self.words += len(wanted)
        self.errors += edits(wanted, heard)

    @property
    def percent(self) -> float:
        """100 less the word error rate; below 0 when more was heard wrongly than was said."""
        return 100 * (1 - self.errors / max(1, self.words))


def words(sentence: str) -> list[str]:
    """Lower-case words without punctuation."""
    return WORD.findall(sentence.lower())
