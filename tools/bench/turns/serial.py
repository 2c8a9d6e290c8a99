"""The same engines one stage after the other: silence, then all words, then the whole reply, then its whole sound.

What each stage takes is measured by the clock; nothing is prepared while the user speaks or pauses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.reply import Manner, Reply
from epsilon.organs import Voice
from epsilon.parts import load_engine
from epsilon.ring import Samples
from tools.turns.labels import Label

RATE_HZ = 16_000
WINDOW_FRAMES = 512
PREROLL_FRAMES = RATE_HZ // 4


@dataclass(frozen=True)
class Answered:
    """One turn: how long the toy waited and worked, in ms; None where it had nothing to say."""

    waited_ms: float
    worked_ms: float | None


class Serial:
    """Ears, mind and voice of a board, each used as a whole."""

    def __init__(self, board: str, character: str, silence_ms: float) -> None:
        self._board, self._character, self.silence_ms = (
            load_board(board),
            load_character(character),
            silence_ms,
        )
        self._detector, self._ears = load_engine(self._board, "vad"), load_engine(self._board, "asr")
        self._mind = load_engine(self._board, "llm")
        self._voice = Voice(self._board, self._character)
        self._manner = Manner.of(self._character.sampling, self._mind.chat, self._character.voice.speed)
        self._persona = self._mind.start()
        self._mind.append(self._persona, Conversation(self._mind, self._character.persona).ids())
        self._card_ms = 2000 * self._board.audio.block_frames / RATE_HZ
        self._voice.say("Ready.")

    def answer(self, samples: Samples, label: Label) -> Answered:
        """A turn, as a toy would take it that does one thing after the other."""
        start, end, voiced = self._find(samples)
        waited_ms = (end / RATE_HZ - label.end_s) * 1000
        began_s = time.perf_counter()
        hearing = self._ears.start()
        self._ears.hear(hearing, samples[start:voiced])
        words = self._ears.finish(hearing)
        text = self._think(words.text) if words.text else ""
        sound = self._voice.say(text) if text else None
        worked_ms = (time.perf_counter() - began_s) * 1000
        done = sound is not None and len(sound)
        return Answered(waited_ms, worked_ms + self._card_ms if done else None)

    def _find(self, samples: Samples) -> tuple[int, int, int]:
        """Where speech starts, where the silence has been long enough, and where the voice ended."""
        self._detector.reset()
        threshold, needed = self._board.turn.threshold, self.silence_ms * RATE_HZ / 1000
        start, voiced = -1, 0
        for number, probability in enumerate(self._detector.push(samples)):
            at = (number + 1) * WINDOW_FRAMES
            if probability >= threshold:
                start, voiced = max(0, at - PREROLL_FRAMES) if start < 0 else start, at
            elif start >= 0 and at - voiced >= needed:
                return start, at, min(at, voiced + RATE_HZ // 10)
        return max(0, start), len(samples), len(samples)

    def _think(self, text: str) -> str:
        conversation = Conversation(self._mind, self._character.persona)
        conversation.add_user(text)
        sequence = self._mind.fork(self._persona)  # who the character is, is known beforehand here as well
        self._mind.sync_to(sequence, conversation.prompt())
        return "".join(Reply(self._mind, sequence, self._manner, (0, 0)).pieces()).strip()


def answer_all(
    turns: Sequence[tuple[Samples, Label]], board: str, character: str, silence_ms: float
) -> Iterator[Answered]:
    """Each turn alone."""
    serial = Serial(board, character, silence_ms)
    for samples, label in turns:
        yield serial.answer(np.asarray(samples, np.float32), label)
