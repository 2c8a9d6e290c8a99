"""A stage's work on a thread that stops in the middle of a call and goes on when told: one of them runs at a time."""

from __future__ import annotations

import sys
import threading

from epsilon.errors import StageDied
from epsilon.stage import Stage


class Ended(BaseException):  # no stage may catch it
    """The emulation is over, in the middle of a call."""


class Strand(threading.Thread):
    """Runs `stage.step()` over and over; `proceed` lets it go on, `pause` is how an engine stops it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(name=f"paced {stage.name}", daemon=True)  # a driver that died must not be waited for
        self.stage = stage
        self.calling = False  # in the middle of a call
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._busy = self._ending = False
        self._failure: BaseException | None = None
        self.start()

    def proceed(self) -> bool:
        """Let the stage work until it calls an engine or has nothing more to do; True when it did anything."""
        self._go.release()
        self._back.acquire()
        if self._failure is not None:
            raise StageDied(f"{self.stage.name} died: {self._failure!r}") from self._failure
        return self._busy or self.calling

    def pause(self) -> None:
        """For the stage's own thread: a call has begun. Returns when it is over."""
        self.calling = True
        self._pass_on()
        self.calling = False

    def end(self) -> None:
        """Leave the work where it is."""
        self._ending = True
        self._go.release()
        self.join()

    def run(self) -> None:
        self._go.acquire()
        try:
            while not self._ending:
                self._busy = self.stage.step()
                self._pass_on()
        except Ended:
            pass
        finally:
            self._failure = sys.exc_info()[1]
            self._back.release()

    def _pass_on(self) -> None:
        self._back.release()
        self._go.acquire()
        if self._ending:
            raise Ended


def current() -> Strand | None:
    """The strand whose thread this is."""
    thread = threading.current_thread()
    return thread if isinstance(thread, Strand) else None
