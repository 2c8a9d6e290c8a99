"""The bench of starts: what it waits for, what it takes apart, and that a start that fails is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from epsilon.audio_files import write_wav
from tools.bench import start


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    write_wav(tmp_path / "quiet.wav", np.zeros(8_000, np.float32))
    return tmp_path / "quiet.wav"


@pytest.mark.parametrize("pace", ["lockstep", "realtime"])
def test_emulate_says_when_it_listens(quiet: Path, pace: str) -> None:
    took_s, worked_s = start.to_listening(["emulate", str(quiet), "--pace", pace])
    assert took_s > 0 and worked_s > 0


def test_a_start_that_fails_is_told_with_its_reason(quiet: Path) -> None:
    with pytest.raises(SystemExit, match=r"never said that it listens(.|\n)*no board 'hust'"):
        start.to_listening(["emulate", str(quiet), "--board", "hust"])


def test_a_start_is_taken_apart_to_its_end() -> None:
    rows = start.parts("host")
    names = [name for name, _ in rows]
    assert names[-1].startswith("Python itself") and "card and threads" in names
    assert sum(name.startswith("loading") for name in names) == 6
    assert all(took_ms > 0 for _, took_ms in rows)
