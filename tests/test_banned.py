"""Banned texts are found while a reply grows, and nothing is let go that could still become one."""

from __future__ import annotations

import pytest

from epsilon.engines.llm.banned import Banned

BANNED = Banned(["damn", "shut up", "Bob's"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("well damn it", 5),
        ("Shut up!", 0),
        ("that is bob's hat", 8),
        ("shut the door, get up", None),
        ("a dam, some condamned", None),
        ("damnation", None),
        ("", None),
    ],
)
def test_a_banned_text_is_found_as_whole_words_in_any_case(text: str, place: int | None) -> None:
    assert BANNED.find(text) == place


def test_what_the_next_letters_may_change_does_not_count_yet() -> None:
    assert BANNED.find("well damn", whole=False) is None
    assert BANNED.find("well damn.", whole=False) == 5
    assert BANNED.find("well damn", whole=True) == 5


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("well d", "well "),
        ("please shut", "please "),
        ("shut the", "shut the"),
        ("odd", "odd"),
        ("it's dam", "it's "),
    ],
)
def test_text_is_held_back_while_it_may_become_a_banned_one(text: str, sure: str) -> None:
    assert text[: BANNED.sure(text)] == sure


def test_nothing_banned_holds_nothing_back() -> None:
    assert Banned([]).sure("anything d") == len("anything d")
    assert Banned([]).find("damn") is None
