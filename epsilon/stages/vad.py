"""Vad: finds where the user's speech starts and ends, and so whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from epsilon.config.board import TurnRule
from epsilon.engines.protocols import SAMPLE_RATE_HZ, VoiceDetector
from epsilon.messages import Message, Speech
from epsilon.ring import SampleRing
from epsilon.stage import Place, Stage

WINDOW_FRAMES = 512  # what the voice detector judges at once: 32 ms
PREROLL_FRAMES = SAMPLE_RATE_HZ // 4  # speech begins before the detector believes it
TAIL_FRAMES = SAMPLE_RATE_HZ // 10  # and dies away after it stopped believing
ROOM_FRAMES = SAMPLE_RATE_HZ * 3 // 10  # how long the toy's own sound rings on in the room
SETTLE_FRAMES = SAMPLE_RATE_HZ // 5  # silence after which the words so far are worth hearing out


class Mouth(Protocol):
    """Whether the toy speaks, which makes it harder or impossible to hear the user."""

    @property
    def sounding(self) -> bool:
        """The toy speaks: it takes more to interrupt than to begin."""

    @property
    def deafening(self) -> bool:
        """The toy speaks, and its microphone hears that."""


class Vad(Stage):
    """The one writer of the turn: a new one at each start of speech, handed over after a silence."""

    def __init__(
        self,
        place: Place,
        microphone: SampleRing,
        detector: VoiceDetector,
        rule: TurnRule,
        mouth: Mouth,
    ) -> None:
        super().__init__(place)
        self.detector, self.rule, self.mouth = detector, rule, mouth
        self.reader = microphone.reader(self.bell)
        self.speaking = self.settled = False
        self.voiced_frames = 0  # of the speech that may be starting
        self.deaf_until = 0  # without echo cancellation the toy does not listen while it speaks
        self.start_at = self.voiced_at = self.posted_at = 0

    def tick(self) -> bool:
        busy = False
        while self.reader.available >= WINDOW_FRAMES:
            busy = True
            laps = self.reader.laps
            window = self.reader.read(WINDOW_FRAMES)
            if self.reader.laps != laps:
                self.detector.reset()
            for probability in self.detector.push(window):
                for speech in self._judge(probability >= self.rule.threshold, self.reader.at):
                    self.emit(speech)
        return busy

    def _judge(self, voiced: bool, now_at: int) -> Iterator[Message]:
        if not self.speaking:
            self._await_start(voiced, now_at)
            return
        if voiced:
            self.voiced_at, self.settled = now_at, False
        silence = now_at - self.voiced_at
        end_at = min(now_at, self.voiced_at + TAIL_FRAMES)
        if silence >= _frames(self.rule.silence_ms):
            yield self._hand_over(end_at)
        elif silence >= SETTLE_FRAMES and not self.settled:
            self.settled = True
            yield self._post(end_at, paused=True)
        elif voiced and now_at - self.posted_at >= _frames(self.rule.hop_ms):
            yield self._post(now_at, paused=False)

    def _await_start(self, voiced: bool, now_at: int) -> None:
        if self.mouth.deafening:
            self.deaf_until = now_at + ROOM_FRAMES
        if not voiced or now_at < self.deaf_until:
            self.voiced_frames = 0
            return
        self.voiced_frames += WINDOW_FRAMES
        needed_ms = self.rule.barge_in_ms if self.mouth.sounding else self.rule.min_speech_ms
        if self.voiced_frames < _frames(needed_ms):
            return
        mark = self.turn.next()
        self.speaking = True
        self.start_at = self.posted_at = max(0, now_at - self.voiced_frames - PREROLL_FRAMES)
        self.voiced_at = now_at
        self.tell("speech", mark, at=now_at - self.voiced_frames)

    def _post(self, end_at: int, paused: bool) -> Speech:
        self.posted_at = end_at
        return Speech(self.turn.now, self.start_at, end_at, paused)

    def _hand_over(self, end_at: int) -> Speech:
        self.speaking, self.voiced_frames = False, 0
        self.tell("end of turn", self.turn.now, at=self.voiced_at)
        return Speech(self.turn.now, self.start_at, end_at, last=True)


def _frames(duration_ms: float) -> int:
    return round(duration_ms * SAMPLE_RATE_HZ / 1000)
