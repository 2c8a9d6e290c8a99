"""What two passes agree on is settled but for its last word."""

from __future__ import annotations

import pytest

from epsilon.engines.asr.agreement import agreed


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
