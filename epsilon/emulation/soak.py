"""Hours with simulated users in lock-step: whether anything adds up, wears out or goes round in circles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from epsilon.clock import ManualClock
from epsilon.config.board import Board
from epsilon.config.character import Character, VoiceSettings
from epsilon.devices.wav import WavCard
from epsilon.emulation.lockstep import LockStep
from epsilon.emulation.users import COUGH, INTERRUPT, WAIT, Act, User
from epsilon.messages import News
from epsilon.organs import Voice
from epsilon.ring import Samples
from epsilon.toy import Toy

RATE_HZ = 16_000
HOUR_FRAMES = 3600 * RATE_HZ
PATIENCE_S = 8.0  # a user who hears nothing for so long goes on
LONGEST_S = 40.0  # no answer is listened to for longer
LINES_KEPT = 32  # of what users say, as sound of some 100 KB each: they say the same things again and again
COUGH_S = 0.25
SAID_OVER = frozenset(("heard", "cut", "silent"))


class HoursCard(WavCard):
    """A wav card that forgets what has been heard and what has left."""

    _from = 0  # the frame at which the recording lies

    def play(self, recording: Samples) -> None:
        self._from, self.recording = self._read_frames, recording

    def _said(self, start: int, end: int) -> Samples:
        return self.recording[max(0, start - self._from) : max(0, end - self._from)]


@dataclass
class Hour:
    """What happened in one hour, and what the process held at its end."""

    turns: int = 0
    replies: int = 0
    cut_ins: int = 0
    longest_repeat: int = 0  # the same reply so often in a row
    lost: int = 0  # blocks of the microphone, gaps in the voice, laps
    rss_mb: float = 0.0
    threads: int = 0
    files: int = 0
    tifu_ms: list[float] = field(default_factory=list)

    @property
    def p95_ms(self) -> float:
        """Of TIFU; nan where nothing was answered."""
        return float(np.percentile(self.tifu_ms, 95)) if self.tifu_ms else float("nan")


class Soak:
    """A toy, the users who visit it one after the other, and the hours so far."""

    def __init__(self, board: Board, character: Character, users: Sequence[User]) -> None:
        clock = ManualClock()
        self._card = HoursCard(board.audio, clock, np.zeros(0, np.float32))
        self._toy = Toy(board, character, self._card, clock)
        self._time = LockStep(self._toy, self._card, clock)
        self._voice = Voice(board, character, wet=False)
        self._spoken = lru_cache(LINES_KEPT)(self._speak)
        self._users = users
        self._reply, self._last, self._repeats = "", "", 0  # the last one heard, and how often in a row
        self._news: list[News] = []
        self.hours: list[Hour] = []
        self._card.start()

    def run(self, hours: float) -> Iterator[Hour]:
        """Each hour when it is over."""
        end, hour = round(hours * HOUR_FRAMES), Hour()
        for _ in self._visits():
            self._count(hour)
            if self._time.frame >= min(end, (len(self.hours) + 1) * HOUR_FRAMES):
                yield self._over(hour)
                hour = Hour()
            if self._time.frame >= end:
                return

    def _visits(self) -> Iterator[None]:
        """Users come, talk and go, for ever; a yield after everything that somebody does."""
        while True:
            for user in self._users:
                user.come()
                while not user.leaves:
                    self._do(user, user.act(self._reply))
                    yield
                for _ in range(round(user.persona.away_ms / 10_000)):
                    self._pass_time(10 * RATE_HZ)
                    yield

    def _do(self, user: User, act: Act) -> None:
        self._reply = ""
        self._pass_time(round(act.after_ms * RATE_HZ / 1000))
        if act.kind == WAIT:
            return
        if act.kind == INTERRUPT:
            self._listen(lambda: self._sounding, PATIENCE_S / 4)
        who = user.persona
        self._card.play(
            self._cough() if act.kind == COUGH else self._spoken(who.voice, who.level_db, act.text)
        )
        self._pass_time(len(self._card.recording))
        self._reply = self._listen(lambda: False, PATIENCE_S)

    def _listen(self, enough: Callable[[], bool], patience_s: float) -> str:
        """Wait until the answer is over; what was heard of it."""
        waited, begun = 0, False
        while waited < (LONGEST_S if begun else patience_s) * RATE_HZ and not enough():
            for news in self._pass_time(self._card.block_frames):
                begun |= news.what in ("answer", "opener")
                if news.what in SAID_OVER:
                    return news.text
            waited += self._card.block_frames
        return ""

    @property
    def _sounding(self) -> bool:
        return any(news.what == "answer" for news in self._news[-20:])

    def _pass_time(self, frames: int) -> list[News]:
        end, told = self._time.frame + frames, list[News]()
        while self._time.frame < end:
            told += self._time.pass_block()
        self._card.take()
        self._news += told
        return told

    def _count(self, hour: Hour) -> None:
        """Take what happened into the account."""
        journal = self._toy.journal
        for news in self._news:
            record = journal.record(news.mark.turn)
            if news.what == "words" and news.text:
                hour.turns += 1
            elif news.what == "answer" and (parts := journal.tifu_ms(record)):
                hour.tifu_ms.append(parts["answer_ms"])
            elif news.what == "heard" and news.text:
                hour.replies += 1
                self._repeats = self._repeats + 1 if news.text == self._last else 1
                self._last = news.text
                hour.longest_repeat = max(hour.longest_repeat, self._repeats)
            elif news.what == "speech":
                before = journal.record(news.mark.turn - 1)
                hour.cut_ins += before.cut_in
        self._news.clear()

    def _over(self, hour: Hour) -> Hour:
        counts = self._toy.counts
        hour.lost = counts["overruns"] + counts["underruns"] + counts["laps"]
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        hour.rss_mb = pages * os.sysconf("SC_PAGESIZE") / 1e6
        hour.threads = _entries("/proc/self/task")
        hour.files = _entries("/proc/self/fd")
        self.hours.append(hour)
        return hour

    def _speak(self, voice: str, level_db: float, text: str) -> Samples:
        self._voice.tts.voice = VoiceSettings(style=voice)
        sound = self._voice.dry(text)
        peak = float(np.abs(sound).max())
        return (sound * 10 ** (level_db / 20) / max(peak, 1e-6)).astype(np.float32)

    def _cough(self) -> Samples:
        rng = np.random.default_rng(self._time.frame)
        count = round(COUGH_S * RATE_HZ)
        return (rng.standard_normal(count) * np.exp(-np.arange(count) / 1200) * 0.2).astype(np.float32)


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())
