"""A stage: one thread, its inboxes, and the only loop there is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from epsilon.clock import Clock
from epsilon.messages import Message, News
from epsilon.realtime import Seat
from epsilon.ring import Bell, Ring
from epsilon.turn import Mark, Turn

SLOTS = 256  # a reply is some 100 tokens or sounds: a full ring means that somebody downstream has stopped


@dataclass(slots=True)
class Counts:
    """What a stage dropped, counted where it happened."""

    stale: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """What every stage is given: where it sits, whose turn it is, what time it is."""

    seat: Seat
    turn: Turn
    clock: Clock


class Watcher(Protocol):
    """Sees what stages do, each in its own thread: a take that is recorded, a trace."""

    def begin(self, stage: Stage, inbox: Ring[Message] | None, item: Message | None) -> Any:
        """A stage begins to work on the message it took from an inbox; None: on what time asks for."""

    def end(self, stage: Stage, begun: Any, busy: bool) -> None:
        """That is done, `busy` if it was anything; `begun` is what `begin` returned."""


class Stage(threading.Thread):
    """One box of the pipeline: takes a message, works on it, passes the results on.

    Subclasses write `work`, a generator: the time between two of its yields is how long a cancel can wait. A
    stage that is driven by time (the two ends of the sound) also writes `tick` and `due`.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(name=type(self).__name__.lower())
        self.seat, self.turn, self.clock = place.seat, place.turn, place.clock
        self.bell = Bell()
        self.inboxes: list[Ring[Message]] = []
        self.outbox: Ring[Message] | None = None
        self.news: Ring[News] | None = None
        self.counts = Counts()
        self.watchers: tuple[Watcher, ...] = ()
        self.stopping = False
        self.busy_since_s: float | None = None  # when its present piece of work began; None while it waits
        self.on_exit: Callable[[], None] = lambda: None

    def inbox(self) -> Ring[Message]:
        """A new ring into this stage, for one writer."""
        ring: Ring[Message] = Ring(SLOTS, self.bell)
        self.inboxes.append(ring)
        return ring

    def work(self, item: Message) -> Iterator[Message]:
        """What a message leads to."""
        raise NotImplementedError

    def may_begin(self, item: Message) -> bool:
        """False while a message has to wait in its inbox; whatever ends the wait rings the bell."""
        return True

    def tick(self) -> bool:
        """Do what time asks for; True when anything was done."""
        return False

    def due(self) -> float | None:
        """The clock's time in seconds of the next tick; None when only a message can bring work."""
        return None

    def step(self) -> bool:
        """Do everything there is to do now, without waiting; True when anything was done."""
        busy = False
        for inbox in self.inboxes:
            while (item := inbox.peek()) is not None and self.may_begin(item):
                busy = True
                self.serve(inbox)
        return self.keep_time() or busy

    def serve(self, inbox: Ring[Message]) -> None:
        """Take the oldest message of an inbox, which must have one, and do what it leads to."""
        item = inbox.take()
        assert item is not None
        begun = [watcher.begin(self, inbox, item) for watcher in self.watchers]
        self._serve(item)
        for watcher, own in zip(self.watchers, begun, strict=True):
            watcher.end(self, own, busy=True)

    def keep_time(self) -> bool:
        """One tick, seen by whoever watches; True when anything was done."""
        if not self.watchers:
            return self.tick()
        begun = [watcher.begin(self, None, None) for watcher in self.watchers]
        busy = self.tick()
        for watcher, own in zip(self.watchers, begun, strict=True):
            watcher.end(self, own, busy)
        return busy

    def run(self) -> None:
        """The loop. An exception ends the thread and, through `on_exit`, the toy."""
        try:
            self.seat.take()
            while not self.stopping:
                self.busy_since_s = self.clock.now()
                if not self.step():
                    due, self.busy_since_s = self.due(), None
                    self.bell.wait(None if due is None else due - self.clock.now())
        finally:
            self.on_exit()

    def stop(self) -> None:
        """Ask the loop to end; `join` waits for it."""
        self.stopping = True
        self.bell.ring()

    def tell(self, what: str, mark: Mark, text: str = "", tail: str = "", at: int = -1) -> None:
        """Say what happened to whoever watches; what nobody fetches is lost, and only that."""
        if self.news is not None:
            self.news.put(News(mark, what, self.clock.now(), text, tail, at))

    def emit(self, result: Message) -> None:
        """Pass a result on, waiting while the next stage has no room; a stale one is dropped and counted."""
        assert self.outbox is not None, f"{self.name} has nowhere to put its results"
        while not self.outbox.put(result):
            if not self.is_alive():
                raise RuntimeError(
                    f"the ring after {self.name} is full: {SLOTS} messages in one lock-step step"
                )
            self.busy_since_s = None  # who waits for room is not stuck; whoever should make room may be
            self.outbox.room.wait()
            if self._drop(result):
                return

    def _serve(self, item: Message) -> None:
        if self._drop(item):
            return
        self.busy_since_s = self.clock.now()
        for result in self.work(item):
            self.busy_since_s = self.clock.now()
            if self._drop(result):
                return
            self.emit(result)

    def _drop(self, item: Message) -> bool:
        stale = item.cancellable and self.turn.is_stale(item.mark)
        self.counts.stale += stale
        return stale
