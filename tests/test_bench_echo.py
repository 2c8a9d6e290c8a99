"""The cancellers' bench: a row for each in each room, and a conversation in which its own turns are told apart."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.sounds import RATE_HZ, silence, vowels
from tools.bench.echo import __main__ as bench
from tools.bench.echo import rooms, talking
from tools.echo_path import Room


def test_the_voice_is_found_before_and_gone_behind_the_canceller() -> None:
    careless, careful = (rooms.examine(name, Room(), 20) for name in ("none", "kalman"))
    assert careless.ducks > 3 and careless.later_db == pytest.approx(0, abs=0.1)
    assert careless.kept_percent > 90
    assert careful.ducks == 0 and careful.later_db > 20
    assert careful.kept_percent > 50


@pytest.mark.slow
def test_turns_of_its_own_making_are_told_from_the_users() -> None:
    """With no canceller it answers a loud speaker of its own, which shows that the measurement sees it."""
    loud = replace(bench.ECHO, level_db=6.0)  # at -6 dB it holds its breath, and lets it pass
    careless = talking.talk("none", bench.CONVERSATION, loud, 1)
    assert careless.own > 0 and careless.ducks > 0
    for room in (bench.ECHO, loud):
        careful = talking.talk("kalman", bench.CONVERSATION, room, 1)
        assert careful.own == 0 and careful.replies == 3


def test_interruptions_are_found_where_the_toy_speaks() -> None:
    found = talking.talk("kalman", bench.INTERRUPTED, bench.ECHO, 1)
    assert found.interruptions == len(found.late_ms) == 1
    assert 0 < found.late_ms[0] < 500


def test_utterances_are_parted_by_silence() -> None:
    sound = np.concatenate([silence(1.0), vowels(1.0, 1), silence(0.7), vowels(0.5, 2), silence(1.0)])
    spoken = talking.utterances(sound)
    assert len(spoken) == 2
    assert spoken[0][0] == pytest.approx(RATE_HZ, abs=RATE_HZ // 4)
    assert talking.near(RATE_HZ, spoken) and not talking.near(int(0.2 * RATE_HZ), spoken)


def test_an_unknown_canceller_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["echo", "--canceller", "kalmann"])
    assert bench.main() == 2
    assert "did you mean kalman?" in capsys.readouterr().err


@pytest.mark.slow
def test_the_verdict_is_that_of_the_hosts_canceller(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["echo", "--minutes", "1", "--canceller", "kalman"])
    monkeypatch.setattr(bench, "ROOM_S", 15)
    monkeypatch.setattr(bench, "SECONDS_A_MINUTE", 1)
    monkeypatch.setattr(rooms, "ROOMS", {"a room": Room()})
    assert bench.main() == 0
    assert "the host's kalman: 0 turns of its own" in capsys.readouterr().out
