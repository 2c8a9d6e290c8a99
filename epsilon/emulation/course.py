"""The course of a conversation with recordings: each next one begins when the answer to the one before has ended."""

from __future__ import annotations

from collections.abc import Sequence

from epsilon.clock import Clock
from epsilon.devices.wav import WavCard
from epsilon.messages import News
from epsilon.ring import Samples

SETTLE_S = 1.0  # silence after a recording: speech at its very end must show itself
PAUSE_S = 0.5  # between an answer and the next recording
PATIENCE_S = 15.0  # no answer takes longer to begin or to go on; each new phrase starts the wait anew


class Course:
    """Knows from the news whether an answer is still due, and plays what comes next."""

    def __init__(self, card: WavCard, clock: Clock, waiting: Sequence[Samples]) -> None:
        self._card, self._clock, self._waiting = card, clock, list(waiting)
        self._open_turn: int | None = None  # begun, and neither answered nor left in silence
        self._busy_s = 0.0  # when something last happened

    def follow(self, news: News) -> None:
        """Take one piece of news."""
        turn = news.mark.turn
        self._busy_s = self._clock.now()
        if news.what == "speech":
            self._open_turn = turn
        elif self._open_turn == turn and (
            news.what in ("heard", "cut", "silent") or (news.what == "words" and not news.text)
        ):
            self._open_turn = None

    def wake_s(self) -> float:
        """The clock's time at which the recording has ended and, if an answer is due, patience with it."""
        ended_s = self._card.time_of(len(self._card.recording)) + SETTLE_S
        return max(ended_s, self._busy_s + (PAUSE_S if self._open_turn is None else PATIENCE_S))

    def ended(self) -> bool:
        """True after the last recording and its answer; after an earlier one the next is started."""
        if self._clock.now() < self.wake_s():
            return False
        if not self._waiting:
            return True
        self._card.play(self._waiting.pop(0))
        return False
