"""One organ of a toy alone, for engineers: its ears, its mind or its voice, by the code that the toy runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from epsilon.clock import ManualClock, MonotonicClock
from epsilon.company import Company
from epsilon.config.board import Board
from epsilon.config.character import Character, Idle
from epsilon.engines.endpoint import silence
from epsilon.engines.llm.conversation import USER
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Patience, Recognizer, VoiceDetector
from epsilon.messages import Heard, Message, Phrase, Sound, Token, Words
from epsilon.parts import build_llm, load_effects, load_engine, seat_of
from epsilon.ring import Bell, Ring, SampleRing, Samples
from epsilon.stage import SLOTS, Place
from epsilon.stages.asr import Asr
from epsilon.stages.effects import Effects
from epsilon.stages.phrases import CLAUSE, TAG, Phrases, what_ends
from epsilon.stages.tts import Tts
from epsilon.stages.vad import Vad
from epsilon.toy import MICROPHONE_FRAMES
from epsilon.turn import Mark, Turn

ALONE = Company("", by_name=False, idle=Idle())
PAUSE_MS = 500  # of silence, so that the detector surely sees the end of the last utterance


@dataclass(frozen=True)
class ClosedMouth:
    """Of a toy that does nothing but listen: nobody waits for an answer, so what is said next is a turn of its own."""

    turn: Turn
    sounding = deafening = False

    @property
    def spoke(self) -> Mark:
        """As if every turn had been answered."""
        return self.turn.now

    def watch(self, bell: Bell) -> None:
        """It never speaks."""


class Ears:
    """Speech to words: the vad and asr stages without their threads."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.detector: VoiceDetector = load_engine(board, "vad")
        self.recognizer: Recognizer = load_engine(board, "asr")
        self.patience = Patience(board.turn.silence_ms, board.turn.silence_ms)

    def words(self, samples: Samples) -> str:
        """The words in samples [n] at 16 kHz: speech is found and heard hop by hop as in a conversation."""
        microphone, heard = SampleRing(MICROPHONE_FRAMES), Ring[Message](SLOTS, Bell())
        # A clock that stands still: no hop is skipped for lack of time, and the same sound gives the same words.
        place = Place(seat_of(self.board, "asr"), Turn(), ManualClock())
        self.detector.reset()
        vad = Vad(
            place,
            microphone,
            self.detector,
            silence.load(place.seat, self.patience),
            self.board.turn,
            ClosedMouth(place.turn),
            ALONE,
        )
        asr = Asr(place, microphone, self.recognizer)
        vad.outbox, asr.outbox = asr.inbox(), heard
        found: list[str] = []
        for block in self._blocks(samples):
            microphone.write(block)
            vad.step()
            asr.step()
            while (words := heard.take()) is not None:
                found += words.all if isinstance(words, Words) and words.final else ()
        return " ".join(found)

    def _blocks(self, samples: Samples) -> Iterator[Samples]:
        """The samples and the silence that ends the last utterance, a hop at a time."""
        silence = np.zeros(round((self.board.turn.silence_ms + PAUSE_MS) * SAMPLE_RATE_HZ / 1000), np.float32)
        whole = np.concatenate([samples, silence])
        hop = round(self.board.turn.hop_ms * SAMPLE_RATE_HZ / 1000)
        for start in range(0, len(whole), hop):
            yield whole[start : start + hop]


class Mind:
    """A typed conversation: the llm stage without its thread."""

    def __init__(self, board: Board, character: Character) -> None:
        self.turn = Turn()
        # A clock that stands still: recorded openers are for the ear, here the model says all words itself.
        self.stage = build_llm(board, character, Place(seat_of(board, "llm"), self.turn, ManualClock()))

    def answer(self, text: str, speaker: str = USER) -> Iterator[str]:
        """The reply in pieces, none when the character has nothing to say; then it counts as heard."""
        mark = self.turn.next()
        said = ""
        words = tuple(re.findall(r"[\w']+", text.lower()))  # as the ears give them: no case, no punctuation
        self.turn.commit()
        for _ in self.stage.work(Words(mark, words, (), final=True, speaker=speaker)):
            pass
        for token in iter(self.stage.think, None):
            said += token.text
            yield token.text
        spoken = " ".join(TAG.sub(" ", said).split())  # a mood is not heard
        for _ in self.stage.work(Heard(mark, spoken, complete=True)):
            pass


class Voice:
    """Text to sound: the phrases, tts and effects stages without their threads; not `wet` leaves the effects out."""

    def __init__(self, board: Board, character: Character, wet: bool = True) -> None:
        self.turn, self.clock = Turn(), MonotonicClock()
        self.phrases = Phrases(self._place(board, "phrases"), character.voice.moods)
        self.tts = Tts(self._place(board, "tts"), load_engine(board, "tts"), character.voice)
        chain = load_effects(character) if wet else []
        self.effects = Effects(self._place(board, "effects"), chain)

    def dry(self, text: str) -> Samples:
        """The text as one phrase, samples [n] at 16 kHz without the effects; the voice stays up behind a comma."""
        more = what_ends(text, before="", following=" ") == CLAUSE
        return _joined(self.tts.work(Phrase(self.turn.next(), 0, text, last=False, more=more)))

    def say(self, text: str, mood: str = "") -> Samples:
        """The text as samples [n] at 16 kHz, said as a reply is; in this mood where it has no tag of its own."""
        token = Token(self.turn.next(), text, last=True)
        return _joined(
            heard
            for phrase in self.phrases.work(token)
            if isinstance(phrase, Phrase)
            for sound in self.tts.work(replace(phrase, mood=phrase.mood or mood))
            for heard in self.effects.work(sound)
        )

    def _place(self, board: Board, stage: str) -> Place:
        return Place(seat_of(board, stage), self.turn, self.clock)


def _joined(sounds: Iterable[Message]) -> Samples:
    """The samples of sounds, one after another."""
    blocks = [sound.samples for sound in sounds if isinstance(sound, Sound)]
    return np.concatenate([np.zeros(0, np.float32), *blocks])
