"""Whom the toy is with: its name, goodbyes, and when it begins by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from epsilon.company import BELIEVED_FRAMES, CLOSE_FRAMES, Company, assents, insists, names, parts
from epsilon.config.character import Idle

SECOND = 16_000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("odette how are you", True),
        ("how are you odet", False),
        ("hello odete", True),
        ("o dette come here", True),
        ("the weather is fine", False),
        ("", False),
    ],
)
def test_a_name_is_heard_as_ears_write_it(text: str, named: bool) -> None:
    assert names(text.split(), "odette") == named


def test_words_end_a_reply_soon_any_voice_later_and_assent_last() -> None:
    enough = 2 * BELIEVED_FRAMES
    for words, needed in (("no stop", BELIEVED_FRAMES), ("", enough), ("mm hm", 2 * enough)):
        assert insists(words.split(), needed, enough), words
        assert not insists(words.split(), needed - 1, enough), words


def test_a_short_name_must_be_itself() -> None:
    assert names(["bram"], "bram")
    assert not names(["bran"], "bram")


@pytest.mark.parametrize(
    ("text", "parting"),
    [
        ("goodbye", True),
        ("good night odette", True),
        ("see you tomorrow", True),
        ("i can see you", False),
        ("good morning", False),
        ("why do people say goodbye", False),
        ("he said bye", False),
    ],
)
def test_a_goodbye_is_no_talk_about_goodbyes(text: str, parting: bool) -> None:
    assert parts(text.split()) == parting


def test_mm_hm_is_assent_and_no_words() -> None:
    assert assents(["mm", "hm"]) and assents(["yeah"])
    assert not assents(["yeah", "but", "why"])


def test_who_has_just_talked_to_it_need_not_say_its_name() -> None:
    company = Company("odette", by_name=True, idle=Idle())
    assert not company.is_meant(["hello"], 0)
    assert company.is_meant(["hello", "odette"], 0)
    company.exchange(SECOND)
    assert company.is_meant(["and", "now"], CLOSE_FRAMES)
    assert not company.is_meant(["and", "now"], SECOND + CLOSE_FRAMES)


def test_it_begins_after_a_while_and_never_with_the_same_words_twice_in_a_row() -> None:
    idle = Idle(after_ms=10_000, cooldown_ms=20_000, most=4, lines=("a", "b"))
    company = Company("odette", by_name=False, idle=idle)
    said = [(second, line) for second in range(120) if (line := company.remark(second * SECOND))]
    assert [second for second, _ in said] == [10, 30, 50, 70]
    lines = [line for _, line in said]
    assert all(one != other for one, other in pairwise(lines))


def test_a_long_story_gets_a_small_noise_now_and_then_never_the_same_twice_in_a_row() -> None:
    clips = {"mm hm": np.ones(10, np.float32), "oh": np.zeros(10, np.float32)}
    company = Company("odette", by_name=False, idle=Idle(), murmurs=clips)
    made = [
        (second, noise[0])
        for second in range(10, 40)
        if (noise := company.murmur(10 * SECOND, second * SECOND))
    ]
    assert [second for second, _ in made] == [16, 22, 28, 34]
    assert all(one != other for one, other in pairwise(text for _, text in made))


def test_without_lines_it_keeps_quiet() -> None:
    company = Company("odette", by_name=False, idle=Idle())
    assert not any(company.remark(second * SECOND) for second in range(1000))
