"""`epsilon run` as its unit starts it, on a virtual card: ready, alive, killed, started again, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from epsilon import duplex
from epsilon.config.board import load_board
from epsilon.duplex import Acoustics
from epsilon.life import MARKER
from epsilon.service import OFF_CODE
from tests import virtual_card

MOST_BEATS = 20  # half a second each: before the toy begins to talk out of boredom
ROOT = Path(__file__).parent.parent


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[virtual_card.VirtualCard]:
    if missing := virtual_card.missing():
        pytest.skip(missing)
    with virtual_card.virtual_card(tmp_path / "card") as card:
        yield card


class Systemd:
    """What starts `epsilon run` as the unit does, and hears what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.settimeout(60)
        self.board = self._board()
        (folder / "run").mkdir()

    def _board(self) -> Path:
        text = (ROOT / "boards" / "host.yaml").read_text(encoding="utf-8")
        path = self.folder / "virtual.yaml"
        path.write_text(text.replace("card: default", f"card: {virtual_card.CARD}"), encoding="utf-8")
        os.environ["EPSILON_STATE"] = str(self.folder / "state")
        duplex.keep(load_board(str(path)), Acoustics("open", "kalman", 0, -80, -120, 99, 0, 0))
        return path

    def start(self) -> subprocess.Popen[str]:
        """Start it, and wait until it says that it is ready."""
        environment = {
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": "2000000",
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
        }
        command = [sys.executable, "-m", "epsilon", "run", "--board", str(self.board)]
        program = subprocess.Popen(
            command, env=os.environ | environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        while "READY=1" not in self.hear():
            assert program.poll() is None
        return program

    def hear(self) -> list[str]:
        """The next thing that it says."""
        return self.socket.recv(4096).decode().splitlines()


@pytest.mark.card
@pytest.mark.slow
def test_the_unit_is_served(
    sound: virtual_card.VirtualCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPSILON_STATE", "")
    systemd = Systemd(tmp_path)
    toy = systemd.start()
    beats = [systemd.hear() for _ in range(4)]
    assert beats == [["WATCHDOG=1"]] * 4, "a toy that listens shows that it lives"
    assert (tmp_path / "run" / MARKER).exists()
    toy.kill()
    assert toy.wait(20) == -signal.SIGKILL
    heard = sound.record()
    toy = systemd.start()
    beats_heard = 0
    while np.abs(heard.samples()).max(initial=0.0) < 0.05:
        assert systemd.hear() == ["WATCHDOG=1"]  # a toy that lives beats, so this ends
        beats_heard += 1
        assert beats_heard < MOST_BEATS, "it says that something went wrong"
    heard.stop()
    toy.terminate()
    _, said = toy.communicate(timeout=30)
    assert toy.returncode == 128 + signal.SIGTERM != OFF_CODE
    assert "odette is listening" in said
    assert not (tmp_path / "run" / MARKER).exists()
