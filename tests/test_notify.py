"""Signs of life: they come from the turn loop, and end when it or any stage is stuck."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from epsilon.clock import ManualClock
from epsilon.messages import Message, Token
from epsilon.notify import BEATS, Pulse, Supervisor
from epsilon.ring import Bell, Ring
from epsilon.stage import Place, Stage
from epsilon.turn import Mark
from tests.rig import place
from tests.test_stage_vad import Room

WATCHDOG_S, STUCK_S = 8.0, 5.0


class Ear:
    """A service ear: its socket, and what it was told."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """What came since the last call."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    found = Ear(str(tmp_path / "notify"))
    yield found
    found.socket.close()


@pytest.fixture
def told(ear: Ear, tmp_path: Path) -> Supervisor:
    """The toy's side of it."""
    return Supervisor(str(tmp_path / "notify"), WATCHDOG_S)


def test_it_says_what_systemd_understands(ear: Ear, told: Supervisor) -> None:
    told.ready("odette is listening")
    told.alive()
    told.status("goes on")
    told.be_patient(60)
    told.stopping()
    assert ear.heard() == [
        "READY=1\nSTATUS=odette is listening",
        "WATCHDOG=1",
        "STATUS=goes on",
        "WATCHDOG=1\nWATCHDOG_USEC=60000000",
        "STOPPING=1",
    ]


def test_an_address_may_be_abstract() -> None:
    name = f"epsilon-test-{os.getpid()}"
    ear = Ear("\0" + name)
    Supervisor("@" + name).alive()
    assert ear.heard() == ["WATCHDOG=1"]
    ear.socket.close()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_environment_names_it_and_no_child_inherits_it(
    environment: dict[str, str], watchdog_s: float, ear: Ear, tmp_path: Path
) -> None:
    environment |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "HOME": "/"}
    found = Supervisor.of_environment(environment)
    found.alive()
    assert found.watchdog_s == watchdog_s
    assert environment == {"HOME": "/"}
    assert ear.heard() == ["WATCHDOG=1"]


def test_who_is_not_there_is_said_once_and_none_at_all_never(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Supervisor().alive()
    assert not caplog.records
    absent = Supervisor(str(tmp_path / "nowhere"))
    for _ in range(3):
        absent.alive()
    assert len(caplog.records) == 1


def test_who_does_not_fetch_holds_nobody_up(ear: Ear, told: Supervisor) -> None:
    for _ in range(10_000):
        told.alive()
    assert 1 <= len(ear.heard()) < 10_000


def beats(ear: Ear) -> int:
    """How many signs of life came since the last call."""
    return ear.heard().count("WATCHDOG=1")


def test_there_are_signs_of_life_while_windows_are_heard(ear: Ear, told: Supervisor) -> None:
    room, clock = Room(), ManualClock()
    room.vad.pulse = Pulse(told, [room.vad], clock, STUCK_S)
    found = 0
    for second in range(80):
        clock.advance_to(float(second))
        room.microphone.write(np.zeros(16_000, np.float32))
        room.vad.step()
        found += beats(ear)
    assert found == 80 / WATCHDOG_S * BEATS
    for second in range(80, 160):  # the microphone has fallen silent: the loop turns, and hears nothing
        clock.advance_to(float(second))
        room.vad.step()
    assert beats(ear) == 0


class Thinking(Stage):
    """Thinks about each letter as long as the test wants."""

    def __init__(self, where: Place) -> None:
        super().__init__(where)
        self.begun, self.done = threading.Event(), threading.Event()

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Token)
        for letter in item.text:
            self.begun.set()
            assert self.done.wait(60)
            self.begun.clear()
            self.done.clear()
            yield Token(item.mark, letter)


@pytest.fixture
def thinking() -> Iterator[Thinking]:
    stage = Thinking(place())
    stage.outbox = Ring(8, Bell())
    stage.inbox()
    stage.start()
    yield stage
    stage.done.set()
    stage.stop()
    stage.join(60)


def test_they_end_while_a_stage_is_stuck_and_come_again(
    thinking: Thinking, ear: Ear, told: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    clock = thinking.clock
    assert isinstance(clock, ManualClock) and thinking.outbox is not None
    pulse = Pulse(told, [thinking], clock, STUCK_S)
    clock.advance_to(100.0)
    pulse()
    assert beats(ear) == 1, "a stage that waits is not stuck, however long"
    thinking.inboxes[0].put(Token(Mark(0, 0), "a"))
    assert thinking.begun.wait(60)
    clock.advance_to(100.0 + STUCK_S)
    pulse()
    assert beats(ear) == 1, "it may take so long"
    clock.advance_to(103.0 + STUCK_S)
    pulse()
    clock.advance_to(106.0 + STUCK_S)
    pulse()
    assert ear.heard() == ["STATUS=thinking is stuck in one piece of work"]
    assert len(caplog.records) == 1
    thinking.done.set()
    thinking.outbox.bell.wait(60)
    clock.advance_to(109.0 + STUCK_S)
    pulse()
    assert ear.heard() == ["STATUS=goes on", "WATCHDOG=1"]


def test_the_first_window_is_told_and_ends_all_patience(ear: Ear, told: Supervisor) -> None:
    first: list[None] = []
    pulse = Pulse(told, [], ManualClock(), STUCK_S, lambda: first.append(None))
    assert not pulse.heard
    for _ in range(3):
        pulse()
    assert pulse.heard and len(first) == 1
    assert ear.heard() == ["WATCHDOG=1\nWATCHDOG_USEC=8000000", "WATCHDOG=1"]


def test_many_pieces_of_work_are_not_one(thinking: Thinking, ear: Ear, told: Supervisor) -> None:
    clock = thinking.clock
    assert isinstance(clock, ManualClock) and thinking.outbox is not None
    pulse = Pulse(told, [thinking], clock, STUCK_S)
    thinking.inboxes[0].put(Token(Mark(0, 0), "abcde"))
    for step in range(5):
        assert thinking.begun.wait(60)
        clock.advance_to((step + 1) * STUCK_S)
        pulse()
        thinking.done.set()
        thinking.outbox.bell.wait(60)
    assert beats(ear) == 5
