"""One organ of a toy alone, for engineers: its ears, its mind or its voice, by the code that the toy runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from epsilon.clock import MonotonicClock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Recognizer
from epsilon.messages import Heard, Phrase, Sound, Token, Words
from epsilon.ring import Samples
from epsilon.stage import Place
from epsilon.stages.effects import Effects
from epsilon.stages.llm import Llm
from epsilon.stages.phrases import Cutter
from epsilon.stages.tts import Tts
from epsilon.toy import load_effects, load_engine, seat_of
from epsilon.turn import Turn


class Ears:
    """Speech to words."""

    def __init__(self, board: Board) -> None:
        self.recognizer: Recognizer = load_engine(board, "asr")
        self.hop_frames = round(board.turn.hop_ms * SAMPLE_RATE_HZ / 1000)

    def words(self, samples: Samples) -> str:
        """The words in samples [n] at 16 kHz, heard hop by hop as in a conversation."""
        hearing: Any = self.recognizer.start()
        for start in range(0, len(samples), self.hop_frames):
            self.recognizer.hear(hearing, samples[start : start + self.hop_frames])
        return self.recognizer.finish(hearing).text


class Mind:
    """A typed conversation: the llm stage without its thread."""

    def __init__(self, board: Board, character: Character) -> None:
        model = load_engine(board, "llm")
        self.turn = Turn()
        place = Place(seat_of(board, "llm"), self.turn, MonotonicClock())
        self.stage = Llm(place, model, Conversation(model, character.persona), character.sampling)

    def answer(self, text: str) -> Iterator[str]:
        """The reply in pieces, none when the character has nothing to say; then it counts as heard."""
        mark = self.turn.next()
        said = ""
        words = tuple(re.findall(r"[\w']+", text.lower()))  # as the ears give them: no case, no punctuation
        for token in self.stage.work(Words(mark, words, (), final=True)):
            assert isinstance(token, Token)
            said += token.text
            yield token.text
        for _ in self.stage.work(Heard(mark, said.strip(), complete=True)):
            pass


class Voice:
    """Text to sound: the tts and effects stages without their threads."""

    def __init__(self, board: Board, character: Character) -> None:
        clock = MonotonicClock()
        self.turn = Turn()
        tts_place = Place(seat_of(board, "tts"), self.turn, clock)
        self.tts = Tts(tts_place, load_engine(board, "tts"), character.voice)
        self.effects = Effects(Place(seat_of(board, "effects"), self.turn, clock), load_effects(character))

    def say(self, text: str) -> Samples:
        """The text as samples [n] at 16 kHz, cut into phrases as a reply is."""
        mark = self.turn.next()
        cutter = Cutter()
        texts = [*cutter.push(text), cutter.finish()]
        blocks = [np.zeros(0, np.float32)]
        for index, phrase in enumerate(texts):
            for sound in self.tts.work(Phrase(mark, index, phrase, last=index == len(texts) - 1)):
                for heard in self.effects.work(sound):
                    assert isinstance(heard, Sound)
                    blocks.append(heard.samples)
        return np.concatenate(blocks)
