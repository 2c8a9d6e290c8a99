"""Where a reply is cut so that it can be spoken before it is thought to the end."""

from __future__ import annotations

import pytest

from epsilon.messages import Phrase, Token
from epsilon.stages.phrases import Cutter, Phrases
from epsilon.turn import Mark
from tests.rig import place, results

MARK = Mark(0, 0)


def cut(text: str, piece_length: int) -> list[str]:
    cutter = Cutter()
    pieces = [text[at : at + piece_length] for at in range(0, len(text), piece_length)]
    phrases = [phrase for piece in pieces for phrase in cutter.push(piece)]
    return [*phrases, cutter.finish()]


@pytest.mark.parametrize("piece_length", [1, 3, 100])
@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Hello.", ["Hello."]),
        ("Well, a fox is clever.", ["Well,", "a fox is clever."]),
        ("I like soup because it is warm.", ["I like soup", "because it is warm."]),
        ("The moon is very far away from here.", ["The moon is very far", "away from here."]),
        ("Oh! Really? Tell me more, please.", ["Oh!", "Really?", "Tell me more,", "please."]),
        ("It costs 3.50 today, I think.", ["It costs 3.50 today,", "I think."]),
        ("And so it was.", ["And so it was."]),
        ("I like soup because it is warm. Do you?", ["I like soup", "because it is warm.", "Do you?"]),
        ("", [""]),
    ],
)
def test_cuts_do_not_depend_on_how_the_text_arrives(text: str, phrases: list[str], piece_length: int) -> None:
    assert cut(text, piece_length) == phrases


def test_a_long_clause_is_cut_where_a_breath_ends() -> None:
    phrases = cut("Yes, " + " ".join(["word"] * 30) + ".", 2)
    assert [len(phrase.split()) for phrase in phrases] == [1, 14, 14, 2]


def test_the_last_phrase_says_that_it_is_the_last() -> None:
    tokens = [Token(MARK, "Yes, "), Token(MARK, "I do"), Token(MARK, "."), Token(MARK, "", last=True)]
    phrases = [item for item in results(Phrases(place()), tokens) if isinstance(item, Phrase)]
    assert [(p.index, p.text, p.last) for p in phrases] == [(0, "Yes,", False), (1, "I do.", True)]


def test_a_new_turn_starts_with_an_empty_text() -> None:
    stage = Phrases(place())
    old, new = stage.turn.next(), Mark(1, 1)
    tokens = [Token(old, "left over "), Token(new, "Fresh."), Token(new, "", last=True)]
    phrases = [item for item in results(stage, tokens) if isinstance(item, Phrase)]
    assert [p.text for p in phrases] == ["Fresh."]
