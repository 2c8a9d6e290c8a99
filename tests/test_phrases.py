"""Where a reply is cut so that it can be spoken before it is thought to the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from epsilon.messages import Phrase, Token
from epsilon.stages.phrases import LATER_WORDS, TAG, Cut, Cutter, Phrases
from epsilon.turn import Mark
from tests.rig import place, results

MARK = Mark(0, 0)
MOODS = ("sad", "happy")


def cut(*pieces: str) -> list[Cut]:
    """The phrases of a text that comes in these pieces."""
    cutter = Cutter(MOODS)
    phrases = [phrase for piece in pieces for phrase in cutter.push(piece)]
    return [*phrases, *cutter.finish()]


def shown(phrases: list[Cut]) -> str:
    """Phrases in a row; + stands behind one whose sentence goes on, a mood before what is said in it."""
    return " | ".join(
        f"{phrase.mood + ': ' if phrase.mood else ''}{phrase.text}{' +' if phrase.more else ''}"
        for phrase in phrases
    )


EARLY = {  # little has been said: sound is wanted at once
    "Hello.": "Hello.",
    "Well, a fox is clever.": "Well, + | a fox is clever.",
    "I like soup because it is warm.": "I like soup + | because it is warm.",
    "The moon is very far away from here.": "The moon is very far + | away from here.",
    "And so it was.": "And so it was.",
    "It is the end of the long road.": "It is the end + | of the long road.",
    "He said he saw 3 badgers in there.": "He said he saw + | 3 badgers in there.",
    "Oh! Really? Tell me more, please.": "Oh! | Really? | Tell me more, please.",
    "": "",
}
LATE = {  # enough has been said to think on meanwhile
    "I see, oh, that is a nice old hat.": "I see, oh, + | that is a nice old hat.",
    "Buy apples, pears, plums and figs, my friend.": "Buy apples, pears, + | plums and figs, + | my friend.",
    "It was very late; we went home — and slept.": "It was very late; + | we went home — + | and slept.",
    "I wonder… maybe we should all go home.": "I wonder… maybe we should all go home.",
    # What follows has marks that end nothing.
    "Mr. Fox met Dr. Owl at noon.": "Mr. Fox met Dr. Owl at noon.",
    "It costs 3.50 and 1,000 more at 9:05.": "It costs 3.50 and 1,000 more at 9:05.",
    "We eat at 5 p.m. and sleep.": "We eat at 5 p.m. and sleep.",
    "We eat at 5 p.m. Then we sleep.": "We eat at 5 p.m. | Then we sleep.",
    "I like roots, e.g. turnips, very much indeed.": "I like roots, + | e.g. turnips, very much indeed.",
    "No. 5 is mine. No. It is.": "No. 5 is mine. | No. | It is.",
    "My name is J. R. Badger. Yours?": "My name is J. R. Badger. | Yours?",
    '"Wait!" said the fox. "No."': '"Wait!" said the fox. | "No."',
}
TAGGED = {
    "<sad> Oh no. It broke.": "sad: Oh no. | It broke.",
    "<Happy>Yes! </happy>No.": "happy: Yes! | No.",
    "I am <sad> not well. Are you?": "I am + | sad: not well. | Are you?",
    "<happy> It is <b>so</b> good <happy> to see you.": "happy: It is so good + | happy: to see you.",
    "<sad> Oh, <happy> never mind.": "sad: Oh, + | happy: never mind.",
    "Good.<sad>Bad.": "Good. | sad: Bad.",
    "<sad>": "",
}
LATER = "Once upon a time there was a badger."  # more than five words


@pytest.mark.parametrize(("text", "phrases"), EARLY.items())
def test_the_first_phrases_are_short(text: str, phrases: str) -> None:
    assert shown(cut(text)) == phrases


@pytest.mark.parametrize(("text", "phrases"), LATE.items())
def test_later_phrases_are_clauses(text: str, phrases: str) -> None:
    opening = shown(cut(LATER))
    assert shown(cut(f"{LATER} {text}")) == f"{opening} | {phrases}"


@pytest.mark.parametrize(("text", "phrases"), TAGGED.items())
def test_a_tag_is_a_mood_to_the_end_of_its_sentence_and_never_text(text: str, phrases: str) -> None:
    assert shown(cut(text)) == phrases


@pytest.mark.parametrize("text", [*EARLY, *LATE, *TAGGED])
def test_in_which_pieces_the_text_comes_does_not_matter(text: str) -> None:
    whole = cut(f"{LATER} {text}")
    for first in range(1, len(text)):
        assert cut(f"{LATER} {text[:first]}", text[first:]) == whole
    assert cut(*f"{LATER} {text}") == whole


WORDS = some.sampled_from(
    [*" ,.?!…-", "\n", "<sad>", "<b>", "<", "Mr.", "and", "because", "the", "No.", "5", "é", "a", "Oh"]
)


@settings(max_examples=50, deadline=None)
@given(some.lists(some.one_of(WORDS, some.text(max_size=6)), max_size=60), some.lists(some.integers(1, 9)))
def test_any_splitting_of_any_text_gives_the_same_phrases(parts: list[str], lengths: list[int]) -> None:
    text = " ".join(parts)
    pieces, at = [], 0
    for length in lengths:
        pieces.append(text[at : at + length])
        at += length
    phrases = cut(text)
    assert cut(*pieces, text[at:]) == cut(*text) == phrases
    assert all(0 < len(phrase.text.split()) <= LATER_WORDS for phrase in phrases)
    said = " ".join(phrase.text for phrase in phrases)
    assert said.split() == TAG.sub(" ", text).split() or "<" in TAG.sub("", text)


def test_a_long_clause_is_cut_where_a_breath_ends() -> None:
    phrases = cut("Yes, " + " ".join(["word"] * 30) + ".")
    assert [len(phrase.text.split()) for phrase in phrases] == [1, 7, 14, 9]
    assert [phrase.more for phrase in phrases] == [True, True, True, False]


def test_a_long_clause_is_cut_before_a_conjunction_rather_than_in_the_middle_of_a_thought() -> None:
    text = "we walked along the quiet river for a long while and sat under the old willow tree"
    assert shown(cut(f"{LATER} {text}")).endswith("a long while + | and sat under the old willow tree")


def test_no_word_is_left_alone_at_the_end_of_a_sentence() -> None:
    for words in range(2, 40):
        phrases = cut(f"{LATER} {' '.join(['word'] * words)}.")
        assert min(len(phrase.text.split()) for phrase in phrases) > 1


def phrases_of(tokens: list[Token], stage: Phrases | None = None) -> list[Phrase]:
    return [item for item in results(stage or Phrases(place()), tokens) if isinstance(item, Phrase)]


def test_a_phrase_leaves_as_soon_as_the_next_word_begins() -> None:
    assert [p.text for p in phrases_of([Token(MARK, "Well,"), Token(MARK, " I")])] == ["Well,"]
    assert phrases_of([Token(MARK, "Well,")]) == []


def test_the_last_phrase_says_that_it_is_the_last() -> None:
    tokens = [Token(MARK, "Yes, "), Token(MARK, "I do"), Token(MARK, "."), Token(MARK, "", last=True)]
    found = [(p.index, p.text, p.more, p.last) for p in phrases_of(tokens)]
    assert found == [(0, "Yes,", True, False), (1, "I do.", False, True)]


def test_a_reply_of_nothing_still_ends() -> None:
    assert phrases_of([Token(MARK, "", last=True)]) == [Phrase(MARK, 0, "", last=True)]


def test_moods_are_those_of_the_character() -> None:
    tokens = [Token(MARK, "<sad> Oh no. <angry> My soup!", last=True)]
    assert [(p.text, p.mood) for p in phrases_of(tokens, Phrases(place(), ["sad"]))] == [
        ("Oh no.", "sad"),
        ("My soup!", ""),
    ]


def test_a_recorded_opener_is_a_phrase_of_its_own() -> None:
    clip = np.zeros(160, np.float32)
    tokens = [Token(MARK, "Oh,", clip=clip), Token(MARK, " a fox."), Token(MARK, "", last=True)]
    opener, answer = phrases_of(tokens)
    assert opener.clip is clip and (opener.index, opener.more) == (0, True)
    assert (answer.index, answer.text, answer.last) == (1, "a fox.", True)


def test_a_new_turn_starts_with_an_empty_text() -> None:
    stage = Phrases(place())
    old, new = stage.turn.next(), Mark(1, 1)
    tokens = [Token(old, "left over "), Token(new, "Fresh."), Token(new, "", last=True)]
    assert [p.text for p in phrases_of(tokens, stage)] == ["Fresh."]
