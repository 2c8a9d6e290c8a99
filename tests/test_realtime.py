"""Seats: where threads really are afterwards, and that a refusal is said once and is no reason to stop."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from epsilon import realtime
from epsilon.realtime import Seat, lock_memory


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing has been said yet, and the test's thread goes back to its cores."""
    realtime.say_once.cache_clear()
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


def refuse(*_: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_a_seat_is_taken_by_the_calling_thread() -> None:
    core = min(os.sched_getaffinity(0))
    Seat((core,)).take()
    assert os.sched_getaffinity(0) == {core}


def test_a_core_that_is_not_there_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    before = os.sched_getaffinity(0)
    for _ in range(2):
        Seat((1000,)).take()
    assert os.sched_getaffinity(0) == before
    assert len(said(caplog)) == 1
    assert "cores [1000] are not to be had here" in said(caplog)[0]


def test_a_core_that_is_taken_away_quietly_is_noticed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4})
    Seat((4, 5)).take()
    assert said(caplog) == ["of the cores [4, 5] only [4] are to be had here"]
    monkeypatch.undo()


def test_a_priority_is_asked_for_and_read_back(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda thread, how, param: asked.append((thread, how, param.sched_priority))
    )
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_FIFO)
    monkeypatch.setattr(os, "sched_getparam", lambda _: os.sched_param(asked[-1][2]))
    Seat(priority=80).take()
    assert asked == [(0, os.SCHED_FIFO, 80)]
    assert said(caplog) == []
    monkeypatch.setattr(os, "sched_getparam", lambda _: os.sched_param(0))
    Seat(priority=80).take()
    assert said(caplog) == ["real-time priority 80 was asked for, and it is 0"]


def test_a_refused_priority_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    for priority in (80, 70):
        Seat(priority=priority).take()
    assert said(caplog) == [
        "real-time priority is not to be had here (Operation not permitted); running without"
    ]


def test_inner_threads_sit_where_their_model_sits() -> None:
    core = min(os.sched_getaffinity(0))
    ready, done = threading.Event(), threading.Event()
    numbers: list[int] = []

    def work() -> None:
        numbers.append(threading.get_native_id())
        ready.set()
        done.wait()

    outside = set(os.sched_getaffinity(0))
    with Seat((core,)).inner_threads():
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
    found = os.sched_getaffinity(numbers[0])
    done.set()
    thread.join()
    assert found == {core}
    assert os.sched_getaffinity(0) == outside


def test_memory_is_locked_or_it_is_said_why() -> None:
    """In a process of its own: what is locked stays so."""
    program = (
        "import logging; logging.basicConfig(); from epsilon.realtime import lock_memory; print(lock_memory());"
        "print(open('/proc/self/status').read().split('VmLck:')[1].split()[0])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    well, locked = run.stdout.split()
    assert (well == "True") == (locked != "0")
    assert (well == "False") == ("memory" in run.stderr)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much memory as one likes may be locked."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)


@pytest.mark.usefixtures("unlimited")
def test_a_refused_lock_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    def refused(_: int) -> int:
        ctypes.set_errno(errno.EPERM)
        return -1

    assert not lock_memory(mlockall=refused)
    assert not lock_memory(mlockall=refused)
    assert said(caplog) == ["memory cannot be locked here (Operation not permitted); running without"]


@pytest.mark.usefixtures("unlimited")
def test_a_lock_is_read_back(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    status = tmp_path / "status"
    asked: list[int] = []
    status.write_text("Name:\ttoy\nVmLck:\t  262144 kB\n")
    assert lock_memory(status, lambda how: asked.append(how) or 0)  # type: ignore[func-returns-value]
    assert asked == [7]  # what there is, what will be, and only what is used
    status.write_text("Name:\ttoy\nVmLck:\t       0 kB\n")
    assert not lock_memory(status, lambda _: 0)
    assert said(caplog) == ["memory was to be locked, and none is"]


def test_behind_a_limit_nothing_is_locked(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8 << 20, 8 << 20))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not lock_memory(mlockall=lambda _: 0)
    assert "only 8192 kB of memory may be locked here" in said(caplog)[0]
