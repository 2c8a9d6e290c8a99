"""What two passes agree on is settled but for its last word; a recogniser that goes in circles is stopped."""

from __future__ import annotations

import pytest

from epsilon.engines.asr.agreement import agreed, loop_length, without_loop


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [
        ("", "", 0),
        ("what", "what is", 0),
        ("what is", "what is", 1),
        ("what is", "what is the time", 1),
        ("what is the", "what was the", 0),
        ("what is the time", "what is the dime now", 2),
        ("so it is", "oh it is", 0),
    ],
)
def test_words_settle_less_the_last(before: str, now: str, count: int) -> None:
    assert agreed(before.split(), now.split()) == count


@pytest.mark.parametrize(
    ("ids", "length"),
    [
        ([], 0),
        ([7], 0),
        ([7, 7], 0),
        ([7, 7, 7], 1),
        ([1, 2, 1, 2, 1, 2], 2),
        ([9, 1, 2, 3, 1, 2, 3, 1, 2, 3], 3),
        ([1, 2, 3, 1, 2, 3, 1, 2], 0),
        ([5, 5, 5, 6], 0),
        (list(range(9)) * 3, 0),
    ],
)
def test_a_run_that_comes_three_times_is_a_loop(ids: list[int], length: int) -> None:
    assert loop_length(ids) == length


def test_a_loop_is_said_once() -> None:
    assert without_loop([9, 1, 2, 1, 2, 1, 2], 2) == [9, 1, 2]
    assert without_loop([7, 7, 7], 1) == [7]
