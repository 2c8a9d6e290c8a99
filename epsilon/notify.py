"""What the toy tells the service manager that started it: that it listens, and that its turn loop goes round.

This is sd_notify: datagrams to a UNIX socket that the manager names. No other module of this package has a socket.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, MutableMapping, Sequence

from epsilon.clock import Clock
from epsilon.stage import Stage

BEATS = 4  # signs of life within the time after which the manager would lose patience

log = logging.getLogger(__name__)


class Supervisor:
    """Whoever started the toy; one that asked for nothing is told nothing."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self.watchdog_s = watchdog_s  # it kills what it has not heard of for so long; 0: never
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._failed = False

    @classmethod
    def of_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Supervisor:
        """The one that started this process; its names are taken out, so that no child speaks for the toy."""
        address = environment.pop("NOTIFY_SOCKET", "")
        watched = environment.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        microseconds = environment.pop("WATCHDOG_USEC", "")
        known = watched and microseconds.isdigit()
        return cls(address, int(microseconds) / 1e6 if known else 0.0)

    def ready(self, status: str) -> None:
        """The toy has started; `status` is shown beside its name."""
        self._tell("READY=1", f"STATUS={status}")

    def alive(self) -> None:
        """A sign of life."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What the toy is at, in a few words for whoever looks after it."""
        self._tell(f"STATUS={text}")

    def be_patient(self, duration_s: float) -> None:
        """Nothing will be heard of the toy for so long: it moves, or says what broke. Counts from now on."""
        if self.watchdog_s:
            self._tell("WATCHDOG=1", f"WATCHDOG_USEC={round(duration_s * 1e6)}")

    def stopping(self) -> None:
        """The toy is about to end, and means to."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError as refusal:  # a full queue, or it is starting anew: the next one may arrive
            if not self._failed:
                log.warning("the service manager does not listen: %s", refusal.strerror)
            self._failed = True


class Pulse:
    """Signs of life, as long as no stage is stuck. The vad stage calls it whenever it has heard a window.

    So they come from the loop that decides whose turn it is, and end with it: with a microphone that falls silent, a
    stage that dies, or one that does not come out of a piece of work.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        stages: Sequence[Stage],
        clock: Clock,
        stuck_s: float,
        on_first: Callable[[], None] = lambda: None,
    ) -> None:
        self.heard = False  # a window of the microphone
        self._on_first = on_first
        self._supervisor, self._stages, self._clock, self._stuck_s = supervisor, stages, clock, stuck_s
        self._next_s = -1.0
        self._stuck = ""

    def __call__(self) -> None:
        now_s = self._clock.now()
        if not self.heard:
            self.heard = True
            self._supervisor.be_patient(self._supervisor.watchdog_s)
            self._on_first()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._supervisor.watchdog_s / BEATS
        stuck = next((stage.name for stage in self._stages if self._is_stuck(stage, now_s)), "")
        if stuck != self._stuck:
            self._say(stuck)
        if not stuck:
            self._supervisor.alive()

    def _is_stuck(self, stage: Stage, now_s: float) -> bool:
        since_s = stage.busy_since_s
        return since_s is not None and now_s - since_s > self._stuck_s

    def _say(self, stuck: str) -> None:
        self._stuck = stuck
        text = f"{stuck} is stuck in one piece of work" if stuck else "goes on"
        log.error("%s", text)
        self._supervisor.status(text)
