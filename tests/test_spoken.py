"""A phrase on its way: which of its words were heard, and when it may start."""

from __future__ import annotations

import numpy as np
import pytest

from epsilon.messages import Sound
from epsilon.pace import MARGIN, Pace
from epsilon.spoken import Spoken
from epsilon.turn import Mark

SECOND = 16_000
ENDS = (2000, 3000, 7000, 8000)  # of "Hello, my friend —": long, short, long, not spoken


def spoken(
    text: str, frames: int, ends: tuple[int, ...] = (), complete: bool = True, start: int = 0
) -> Spoken:
    phrase = Spoken(0, text, start)
    phrase.add(
        Sound(Mark(0, 0), 0, text, np.zeros(frames, np.float32), complete, False, word_ends=ends), 0.0, Pace()
    )
    return phrase


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (0, ""),
        (999, ""),
        (1000, "Hello,"),  # half of a word is the word
        (2499, "Hello,"),
        (2500, "Hello, my"),
        (4999, "Hello, my"),
        (5000, "Hello, my friend"),
        (8000, "Hello, my friend —"),
    ],
)
def test_a_word_is_heard_when_half_of_it_has_left(left: int, words: str) -> None:
    assert spoken("Hello, my friend —", 8000, ENDS).heard(left) == words
    assert spoken("Hello, my friend —", 8000, ENDS, start=500).heard(left + 500) == words


def test_what_the_voice_tells_counts_before_all_of_the_phrase_is_there() -> None:
    assert spoken("Hello, my friend —", 4000, ENDS, complete=False).heard(4000) == "Hello, my"


def test_where_the_voice_does_not_tell_words_are_equally_long() -> None:
    phrase = spoken("one two three four", 4000)
    assert [phrase.heard(left) for left in (499, 500, 1500, 3499, 3500)] == [
        *("", "one", "one two", "one two three", "one two three four")
    ]


def test_signs_after_the_last_word_end_with_it() -> None:
    assert spoken("Yes, quite — !", 3000, (1000, 3000)).heard(2999) == "Yes, quite"
    assert spoken("Yes, quite — !", 3000, (1000, 3000)).heard(3000) == "Yes, quite — !"


def test_it_starts_so_that_its_last_chunk_is_made_when_it_is_due() -> None:
    pace = Pace()
    pace.learn(SECOND // 5, 0.4)  # half as fast as it sounds
    phrase = spoken("two seconds", SECOND // 5, (SECOND, 2 * SECOND), complete=False)
    made_s, last_chunk_s = 1.8 / 0.5 * MARGIN, 1.8
    assert phrase.ready_s(pace) == pytest.approx(made_s - last_chunk_s)


def test_what_is_whole_starts_at_once() -> None:
    assert spoken("one", SECOND, (SECOND,)).ready_s(Pace()) <= 0
    assert Spoken(0, "Oh,", 0, recorded=True).ready_s(Pace()) <= 0


def test_a_fast_voice_starts_at_once() -> None:
    pace = Pace()
    pace.learn(SECOND // 5, 0.15)
    assert spoken("two seconds", SECOND // 4, (SECOND, 2 * SECOND), complete=False).ready_s(pace) <= 0


def test_a_voice_that_does_not_tell_is_taken_for_slow() -> None:
    phrase = spoken("twenty-four letters long", SECOND // 4, complete=False)
    assert phrase.frames == 2 * SECOND
