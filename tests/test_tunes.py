"""Which questions fall: those of a question word."""

from __future__ import annotations

import pytest

from epsilon.engines.tts.phonemes import spell
from epsilon.engines.tts.symbols import PUNCTUATION
from epsilon.engines.tts.tunes import continued, falling
from epsilon.engines.wording import say


def marks(text: str, before: str = "") -> str:
    """The marks that are left of a text."""
    return "".join(word.mark for word in falling(say(text), say(before)))


@pytest.mark.parametrize(
    "text",
    [
        "Where do you live?",
        "What's in the box?",
        "And who is that?",
        "How many bears can you see?",
        "WHY NOT?",
        "Who'd like some soup?",
    ],
)
def test_a_question_of_a_question_word_falls(text: str) -> None:
    assert marks(text) == "."


def test_it_may_stand_behind_a_comma() -> None:
    assert marks("Oh, why is that?") == ",."
    assert marks("Tell me, then, what did he say?") == ",,."


@pytest.mark.parametrize(
    "text", ["Do you live here?", "The rain?", "Do you know where it is?", "Is that what you want?"]
)
def test_all_others_keep_their_mark(text: str) -> None:
    assert marks(text) == "?"


@pytest.mark.parametrize(
    "text",
    ["What a day, isn't it?", "That is why you came, right?", "How nice it is, don't you think so, hm?"],
)
def test_a_last_clause_may_ask_for_yes_or_no(text: str) -> None:
    assert marks(text)[-1] == "?"


def test_every_sentence_is_judged_by_itself() -> None:
    assert marks("Where is it? Is it far? What a walk! When?") == ".?!."


def test_what_was_said_before_belongs_to_the_first_sentence() -> None:
    assert marks("bear lives?", "Where do you think the old") == "."
    assert marks("bear lives? Do you?", "Where do you think the old") == ".?"
    assert marks("lives here?", "Do you think the bear") == "?"


def test_the_rest_of_a_sentence_is_written_with_its_tune() -> None:
    assert continued("bear lives?", "Where do you think the old") == "bear lives."
    assert continued("bear lives?", "Do you know that the old") == "bear lives?"
    assert continued("Where is it?", "") == "Where is it?"


def test_only_a_voice_that_goes_by_marks_is_told() -> None:
    written, told = (
        [symbol for symbol in spell("Who is there?", False, marks_alone).symbols if symbol in PUNCTUATION]
        for marks_alone in (False, True)
    )
    assert (written, told) == (["?"], ["."])
