"""Ten minutes of what is not speech, through the ears of every board: not one word."""

from __future__ import annotations

import pytest

from epsilon.config.board import load_board
from epsilon.organs import Ears
from tests.noises import MAKERS, make

PEAKS = (0.3, 0.05, 0.01)
SECONDS = 600 / len(MAKERS) / len(PEAKS)


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears(load_board("host"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("peak", PEAKS)
def test_no_words_are_heard_where_nobody_speaks(ears: Ears, kind: str, peak: float) -> None:
    assert ears.words(make(kind, SECONDS, peak, seed=round(1000 * peak))) == ""
