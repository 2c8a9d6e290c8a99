"""What the project promises to measure, in a short form: idle cost, sound without Python, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from epsilon.config.board import load_board
from tests import virtual_card
from tools.bench import gil, privacy, silence

NOISY = (
    3.0  # a test machine has other work; the promise itself is measured by `python -m tools.bench.silence`
)


def demand(lacking: str) -> None:
    """Skip what this machine cannot show; in CI that is an error."""
    if lacking:
        assert not os.environ.get("CI"), lacking
        pytest.skip(lacking)


@pytest.mark.slow
def test_an_idle_toy_sleeps() -> None:
    board = load_board("host")
    assert silence.idle_percent(board, silence.room(8.0), 8.0) < NOISY * board.budget.idle_cpu_percent


@pytest.mark.slow
@pytest.mark.card
def test_a_held_interpreter_loses_no_sample(capsys: pytest.CaptureFixture[str]) -> None:
    demand(virtual_card.missing())
    code = gil.measure("good-morning-bram", 200.0, "host")
    assert code == 0, capsys.readouterr().out


@pytest.mark.slow
def test_a_minute_of_conversation_touches_no_network_and_no_foreign_file() -> None:
    demand("" if shutil.which("strace") else "no strace: apt install strace")
    traced = subprocess.run(
        [sys.executable, "-m", "tools.bench.privacy"],
        capture_output=True,
        text=True,
        cwd=privacy.ROOT,
        check=False,
    )
    assert traced.returncode == 0, traced.stdout + traced.stderr


TRACE = """
100 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
100 socket(AF_INET6, SOCK_DGRAM, 0) = 4
101 connect(4, {sa_family=AF_INET6, sin6_port=htons(53)}, 28) = -1 ENETUNREACH
100 openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 5
100 openat(AT_FDCWD, "/var/tmp/id", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 6
100 openat(AT_FDCWD, "/out/a.wav", O_RDWR|O_CREAT, 0666) = 7
100 rename("/out/a.wav", "/home/a.wav") = 0
100 unlink("/etc/passwd") = -1 EACCES
"""


def test_the_trace_reader_sees_what_it_should() -> None:
    findings = privacy.read(TRACE.splitlines())
    assert findings.sockets == {"AF_UNIX": 1, "AF_INET6": 1}
    assert findings.violations([privacy.Path("/out")]) == [
        "a socket of the family AF_INET6",
        "/home/a.wav",
        "/var/tmp/id",
    ]
