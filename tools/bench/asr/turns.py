"""How long after the end of speech the final words are there, on the toy's own way: stages vad and asr.

The voice that ships speaks sentences of some four seconds. They are played into the microphone ring in blocks;
the stages work in lock-step, so what each message took is the recogniser's time and nobody else's. The last
pass comes when speech has paused, with all of its sound; when the turn is handed over nothing is left to hear.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from epsilon.config.board import Board
from epsilon.engines.endpoint import silence
from epsilon.engines.protocols import Patience, Recognizer
from epsilon.messages import Message, Speech
from epsilon.organs import ALONE, ClosedMouth
from epsilon.parts import load_engine, seat_of
from epsilon.ring import Bell, Ring, SampleRing, Samples
from epsilon.stage import SLOTS, Place
from epsilon.stages.asr import Asr
from epsilon.stages.vad import Vad
from epsilon.toy import MICROPHONE_FRAMES
from epsilon.turn import Turn
from tools.bench.asr import RATE_HZ

BLOCK = RATE_HZ // 50
QUIET_S = 1.0


@dataclass(frozen=True)
class Timing:
    """One message to the stage asr: which, what it took, and what it heard."""

    speech: Speech
    cpu_ms: float
    wall_ms: float
    text: str


@dataclass(frozen=True)
class Utterance:
    """A sentence that was said to the toy."""

    sound: Samples
    timings: list[Timing]

    @property
    def settled(self) -> Timing:
        """The last pass: speech has paused."""
        return next(timing for timing in reversed(self.timings) if timing.speech.paused)

    @property
    def final(self) -> Timing:
        """The turn is handed over."""
        return next(timing for timing in self.timings if timing.speech.last)


class WoundClock:
    """The machine's clock, wound forward over the time in which the toy would only wait for sound."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Seconds: those that work took, and those that were skipped."""
        return time.perf_counter() + self._ahead_s

    def sleep_until(self, time_s: float) -> None:
        """Skip what is left until then."""
        self._ahead_s += max(0.0, time_s - self.now())


def listen(board: Board, sounds: list[Samples]) -> list[Utterance]:
    """Each sound as its own turn, every message timed."""
    recognizer: Recognizer = load_engine(board, "asr")
    return [Utterance(sound, list(_turn(board, recognizer, sound))) for sound in sounds]


def _turn(board: Board, recognizer: Recognizer, sound: Samples) -> Iterator[Timing]:
    microphone, out, clock = SampleRing(MICROPHONE_FRAMES), Ring[Message](SLOTS, Bell()), WoundClock()
    place = Place(seat_of(board, "asr"), Turn(), clock)
    began_s = clock.now()
    patience = Patience(board.turn.silence_ms, board.turn.longest_silence_ms)
    end_of_turn = silence.load(place.seat, patience)
    vad = Vad(
        place, microphone, load_engine(board, "vad"), end_of_turn, board.turn, ClosedMouth(place.turn), ALONE
    )
    asr = Asr(place, microphone, recognizer)
    said = Ring[Message](SLOTS, Bell())
    inbox = asr.inbox()
    vad.outbox, asr.outbox = said, out
    quiet = np.zeros(round(QUIET_S * RATE_HZ), np.float32)
    whole = np.concatenate([quiet[: RATE_HZ // 2], sound, quiet])
    for start in range(0, len(whole), BLOCK):
        clock.sleep_until(began_s + (start + BLOCK) / RATE_HZ)
        microphone.write(whole[start : start + BLOCK])
        vad.step()
        while (speech := said.take()) is not None:
            inbox.put(speech)
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            asr.step()
            cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
            words = out.take()
            assert isinstance(speech, Speech)
            yield Timing(speech, 1000 * cpu_s, 1000 * wall_s, " ".join(getattr(words, "all", ())))
