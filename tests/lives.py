"""A life whose card, toy and service manager are doubles that do what a test wrote down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from epsilon.clock import ManualClock
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.errors import StageDied
from epsilon.life import Life
from epsilon.messages import Announcement, News
from epsilon.notify import Supervisor
from epsilon.ring import Bell
from epsilon.state import State
from epsilon.toy import Toy
from epsilon.turn import Mark
from tests.rig import CountingCard
from tests.test_stage_vad import Room

OFF = News(Mark(0, 0), "power off", 0.0, "button")
MOVE = News(Mark(0, 0), "move", 0.0, "smaller")
ANSWER = News(Mark(1, 0), "answer", 0.0)


class FastCard(CountingCard):
    """A card from which everything leaves at once."""

    def room(self) -> int:
        self.play(self.pending())
        return super().room()

    def cut(self, fade_ms: float) -> int:
        return super().cut(fade_ms) if self.written else 0

    def sound(self) -> np.ndarray:
        return np.concatenate(self.written)


class Script:
    """A toy that does what the test wrote down: news, and whether a window was heard before them."""

    def __init__(self, *steps: News | str, fail: bool = False) -> None:
        self.room, self.steps, self.fail = Room(), list(steps), fail
        self.vad, self.turn = self.room.vad, self.room.turn
        self.stages = [self.vad, self.vad]  # where a toy has it
        self.bell = Bell()
        self.heard_ms: list[float] = []
        self.trouble = self.started = self.stopped = 0
        self.room.timer.pauses_ms = self.heard_ms

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def say_trouble(self) -> None:
        self.trouble += 1

    def watch(self) -> Iterator[News]:
        if self.fail:
            raise StageDied("llm died")
        step = self.steps.pop(0)
        if isinstance(step, News):
            yield step
        elif step == "hears":
            self.vad.pulse()

    def asked(self) -> list[str]:
        """What it was asked to say."""
        waiting = [inbox.take() for inbox in self.vad.inboxes]
        return [item.text for item in waiting if isinstance(item, Announcement)]


class Told(Supervisor):
    """A service manager that keeps what it is told."""

    def __init__(self, watchdog_s: float = 5.0) -> None:
        super().__init__("", watchdog_s)
        self.heard: list[str] = []

    def _tell(self, *lines: str) -> None:
        self.heard += lines

    @property
    def ready_after(self) -> int:
        """How many lines came before it was told that the toy is ready; -1: it was not."""
        return self.heard.index("READY=1") if "READY=1" in self.heard else -1


class House:
    """A life whose card, toy and manager are doubles."""

    def __init__(self, *toys: Script, state: State | None = None, trial: bool = False) -> None:
        self.toys, self.cards, self.shown = list(toys), list[FastCard](), list[str]()
        self.given: list[Any] = []
        self.supervisor = Told()
        board = load_board("host")
        self.life = Life(
            board,
            load_character("odette"),
            ManualClock(),
            state or State.open(None),
            self.supervisor,
            new_card=self._card,
            new_toy=cast("Callable[..., Toy]", self._toy),
            show=self.shown.append,
            on_trial=lambda: trial,
        )
        self.life.clock.sleep_until = lambda time_s: None  # type: ignore[method-assign]

    def _card(self, audio: object, clock: object) -> Any:
        self.cards.append(FastCard(lead_frames=16_000))
        return self.cards[-1]

    def _toy(self, *given: Any) -> Script:
        self.given = list(given)
        return self.toys.pop(0)
