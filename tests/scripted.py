"""Engines that say what a test wants, at once: a whole toy without a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.engines.echo.none import NoCancellation
from epsilon.engines.llm.chat import Frame
from epsilon.engines.protocols import Chunk, Delivery, Hypothesis, Spelt
from epsilon.ring import Samples

WINDOW_FRAMES = 512
WORD_FRAMES = 4000  # the scripted ears hear four words a second
PHONEME_FRAMES = 960
MARKS = SYSTEM, USER, REPLY, END, SILENT = range(5)


class LoudnessDetector:
    """Takes whatever is loud for speech."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples, closely: bool = False) -> list[float]:
        heard = np.concatenate((self._rest, samples))
        whole = len(heard) // WINDOW_FRAMES * WINDOW_FRAMES
        self._rest = heard[whole:]
        windows = heard[:whole].reshape(-1, WINDOW_FRAMES)
        return [float(np.abs(window).max() > 0.05) for window in windows]

    def reset(self) -> None:
        self._rest = np.zeros(0, np.float32)


class ScriptedEars:
    """Hears the lines of the script, one an utterance."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)

    def start(self) -> dict[str, Any]:
        return {"words": next(self._lines, "").split(), "frames": 0}

    def hear(self, hearing: dict[str, Any], samples: Samples) -> Hypothesis:
        hearing["frames"] += len(samples)
        heard = hearing["words"][: hearing["frames"] // WORD_FRAMES]
        return Hypothesis(tuple(heard[:-1]), tuple(heard[-1:]))

    def finish(self, hearing: dict[str, Any]) -> Hypothesis:
        return Hypothesis(tuple(hearing["words"]))


class Said(list[int]):
    """A sequence of a scripted model: the tokens themselves."""

    @property
    def ids(self) -> list[int]:
        return self


class ScriptedChat:
    """A word is a token."""

    system, user = Frame((SYSTEM,), (END,)), Frame((USER,), (END,))
    reply, end, silent, cut = (REPLY,), (END,), (SILENT,), ()
    ends = frozenset((END, SILENT, USER))
    max_reply_tokens = 60

    def __init__(self) -> None:
        self._ids: dict[str, int] = defaultdict(lambda: len(self._ids) + len(MARKS))

    def encode(self, words: Sequence[str]) -> list[int]:
        return [self._ids[word] for word in words]

    def frame(self, speaker: str) -> Frame:
        return self.user

    def pieces(self, text: str) -> tuple[int, ...]:
        return ()

    def decode(self, ids: Sequence[int]) -> str:
        words = {number: word for word, number in self._ids.items()}
        return " ".join(words[number] for number in ids)


class Reciter:
    """What models that only recite have in common: a sequence is its tokens."""

    def start(self) -> Said:
        return Said()

    def fork(self, seq: Said) -> Said:
        return Said(seq)

    def append(self, seq: Said, ids: Sequence[int]) -> None:
        seq.extend(ids)

    def rollback(self, seq: Said, length: int) -> None:
        del seq[length:]

    def sync_to(self, seq: Said, ids: Sequence[int]) -> int:
        kept = next(
            (at for at, (a, b) in enumerate(zip(seq, ids, strict=False)) if a != b), min(len(seq), len(ids))
        )
        seq[:] = ids
        return len(ids) - kept


class ScriptedMind(Reciter):
    """Gives the replies of the script, one a prompt; an empty one is silence."""

    limit = 10_000

    def __init__(self, replies: Sequence[str]) -> None:
        self.chat = ScriptedChat()
        self._replies = iter(replies)
        self._coming: list[int] = []
        self.prompts: list[str] = []  # the words of each

    def sync_to(self, seq: Said, ids: Sequence[int]) -> int:
        if ids[-1] == REPLY:
            self.prompts.append(self.chat.decode([number for number in ids if number >= len(MARKS)]))
            words = self.chat.encode(next(self._replies, "").split())
            self._coming = [*words, END] if words else [SILENT]
        return super().sync_to(seq, ids)

    def step(self, seq: Said, sampler: object) -> int:
        seq.append(self._coming.pop(0))
        return seq[-1]

    def logits(self, seq: Said) -> npt.NDArray[np.float32]:
        """Whatever was said is a finished thought."""
        scores = np.full(len(MARKS), -10.0, np.float32)
        scores[REPLY] = 10
        return scores


class ScriptedVoice:
    """Hums, in chunks, as long as there are phonemes."""

    @property
    def styles(self) -> Mapping[str, npt.NDArray[np.float32]]:
        return defaultdict(lambda: np.zeros(8, np.float32))

    def spell(self, text: str, more: bool) -> Spelt:
        """Each letter is a symbol."""
        words = [place for place, word in enumerate(text.split()) for _ in word]
        return Spelt(tuple("".join(text.split())), tuple(words))

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        time_s = np.arange(PHONEME_FRAMES) / 16_000
        ends = tuple(PHONEME_FRAMES * (place + 1) for place in range(len(symbols)))
        for place in range(len(symbols)):
            hum = (0.3 * np.cos(2 * np.pi * 250 * time_s)).astype(np.float32)
            yield Chunk(hum, ends=() if place else ends)


def engines(lines: Sequence[str], replies: Sequence[str]) -> dict[str, Any]:
    """An engine for each stage that has one."""
    return {
        "capture": NoCancellation(),
        "vad": LoudnessDetector(),
        "asr": ScriptedEars(lines),
        "llm": ScriptedMind(replies),
        "tts": ScriptedVoice(),
    }
