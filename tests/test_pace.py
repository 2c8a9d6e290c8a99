"""The voice's speed: learnt from its chunks, slow to change, and without an opinion before the first."""

from __future__ import annotations

import math

import pytest

from epsilon.pace import MARGIN, Pace

SECOND = 16_000


def test_before_anything_was_made_nobody_knows_how_long_it_takes() -> None:
    assert Pace().speed == 0 and Pace().making_s(SECOND) == math.inf


def test_it_is_sound_made_over_time_taken() -> None:
    pace = Pace()
    for _ in range(10):
        pace.learn(SECOND // 5, 0.1)
    assert pace.speed == pytest.approx(2)
    assert pace.making_s(SECOND) == pytest.approx(MARGIN / 2)


def test_one_chunk_that_was_late_changes_little_and_a_board_that_slows_down_is_noticed() -> None:
    pace = Pace()
    for _ in range(50):
        pace.learn(SECOND // 5, 0.02)
    pace.learn(SECOND // 5, 0.5)
    assert pace.speed > 3
    for _ in range(50):
        pace.learn(SECOND // 5, 0.4)
    assert pace.speed == pytest.approx(0.5, rel=0.1)


def test_where_making_takes_no_time_nothing_waits() -> None:
    pace = Pace()
    pace.learn(SECOND // 5, 0.0)
    assert pace.speed == math.inf and pace.making_s(SECOND) == 0
