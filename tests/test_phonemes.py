"""Text to symbols: nothing fails, words are said as they are meant, only trained symbols come out."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from epsilon.engines.tts.phonemes import convert, pronounce, spell
from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE, TOKENS, VOWELS
from tools.train.mind.names import made_up


def sounds(text: str) -> str:
    """The symbols of a text, words parted by |, without pads and marks."""
    words: list[list[str]] = [[]]
    for symbol in convert(text, more=True)[1:-1]:
        if symbol in (SPACE, *PUNCTUATION):
            words.append([])
        else:
            words[-1].append(symbol)
    return " | ".join(" ".join(word) for word in words if word)


def test_a_sentence() -> None:
    assert convert("Hello, world!") == "$ HH AH0 L OW1 , W ER1 L D ! $".split()


def test_words_are_parted_by_spaces() -> None:
    assert convert("a cat.") == [PAD, "AH0", SPACE, "K", "AE1", "T", ".", PAD]


@pytest.mark.parametrize(
    ("text", "more", "end"),
    [
        ("So it goes", False, "."),  # a reply's last words fall
        ("So it goes,", False, "."),
        ("So it goes?", False, "?"),
        ("So it goes", True, "Z"),  # nothing is put where the sentence goes on
        ("So it goes,", True, ","),
        ("So it goes —", True, ","),
        ("So it goes…", True, ","),
    ],
)
def test_the_voice_falls_unless_the_sentence_goes_on(text: str, more: bool, end: str) -> None:
    assert convert(text, more)[-2:] == [end, PAD]


@pytest.mark.parametrize("text", ["", "   ", "?!", "😀", "漢字", "...", "\n\t", "'", "-", "<3"])
def test_nothing_to_say(text: str) -> None:
    assert convert(text) == [] == convert(text, more=True)


def test_marks_follow_their_words() -> None:
    assert [s for s in convert("Wait! Really?! Yes, no.") if s in PUNCTUATION] == ["!", "?", ",", "."]


MEANT = {  # what is said, and the sounds of the word in question
    "I read it yesterday": "R EH1 D",
    "I have read it": "R EH1 D",
    "she read to us": "R EH1 D",
    "I like to read": "R IY1 D",
    "close the door": "K L OW1 Z",
    "please close it": "K L OW1 Z",
    "so close": "K L OW1 S",
    "the shop is close to us": "K L OW1 S",
    "where do you live": "L IH1 V",
    "we go live at noon": "L AY1 V",
    "live music": "L AY1 V",
    "nine lives": "L AY1 V Z",
    "she lives here": "L IH1 V Z",
    "the wind blows": "W IH1 N D",
    "wind it up": "W AY1 N D",
    "a lead pipe": "L EH1 D",
    "I take the lead": "L IY1 D",
    "a tear in my eye": "T EH1 R",
    "one salty tear": "T IH1 R",
    "do not tear it": "T EH1 R",
    "no use at all": "Y UW1 S",
    "I use soap": "Y UW1 Z",
    "I used to sing": "Y UW1 S T",
    "I used soap": "Y UW1 Z D",
    "a birthday present": "P R EH1 Z AH0 N T",
    "I present my spoons": "P R IY0 Z EH1 N T",
    "a record": "R EH1 K ER0 D",
    "to record": "R IH0 K AO1 R D",
    "excuse me": "IH0 K S K Y UW1 Z",
    "a good excuse": "IH0 K S K Y UW1 S",
    "I am content": "K AH0 N T EH1 N T",
    "a bow on my hat": "B OW1",
    "I bow to you": "B AW1",
    "the bass guitar": "B EY1 S",
    "the apple": "DH IY0",
    "the pear": "DH AH0",
    "to sing": "T AH0",
    "to eat": "T UW0",
    "what is it for? to": "T UW1",
    "and so": "AE1 N D",
    "cats and dogs": "AH0 N D",
    "a cat": "AH0",
    "vitamin A": "EY1",
    "NASA": "N AE1 S AH0",
    "the US": "Y UW1 EH1 S",
    "TVs": "T IY1 V IY1 Z",
    "DIY": "D IY1 AY1 W AY1",
    "us": "AH1 S",
    "NOOO": "N OW1",
    "soooo": "S OW1",
    "goood": "G UH1 D",
    "hmmmm": "HH AH1 M",
    "hrmf": "HH ER1 M F",
    "grrr": "G ER1",
    "psst": "P S T",
    "stripy": "S T R AY1 P IY0",
    "what lives there": "L IH1 V Z",
    "pim's": "P IH1 M Z",
    "buses": "B AH1 S IH0 Z",
    "quackish": "K W AE1 K IH0 SH",
    "puddled": "P AH1 D AH0 L D",
    "frogging": "F R AA1 G IH0 NG",
    "turnipfish": "T ER1 N AH0 P F IH1 SH",
    "o'clock": "AH0 K L AA1 K",
    "y'all": "Y AO1 L",
    "haven't": "HH AE1 V AH0 N T",
    "zxcv": "Z IY1 EH1 K S S IY1 V IY1",
}


@pytest.mark.parametrize(("text", "expected"), MEANT.items())
def test_a_word_is_said_as_it_is_meant(text: str, expected: str) -> None:
    assert expected in sounds(text).split(" | ")


def test_only_a_word_is_weak_and_not_what_ends_alike() -> None:
    assert sounds("bathe a dog").split(" | ")[0] == "B EY1 DH"
    assert sounds("the. apple").split(" | ")[0] == "DH AH0"  # another clause


def test_made_up_names_have_a_beat_and_are_not_spelt() -> None:
    rng = random.Random(1)
    for name in (made_up(rng) for _ in range(200)):
        said = [sound for word in sounds(name.capitalize()).split(" | ") for sound in word.split()]
        beats = sum(sound[:2] in VOWELS for sound in said)
        assert any(sound.endswith("1") for sound in said), name
        assert 1 <= beats <= len(name) - 1 and len(said) <= len(name) + 3, (name, said)


def test_a_keyboard_rolled_over_by_a_cat_is_not_read_out_in_full() -> None:
    assert 0 < len(pronounce("a" * 10_000)) <= 20


def test_each_symbol_knows_its_written_word() -> None:
    spelt = spell("Mr. 42, ok")
    words: dict[int, list[str]] = {}
    for symbol, word in zip(spelt.symbols, spelt.words, strict=True):
        words.setdefault(word, []).append(symbol)
    assert words == {
        0: "$ M IH1 S T ER0".split(),
        1: [SPACE, *"F AO1 R T IY0".split(), SPACE, "T", "UW1"],
        2: [",", *"OW1 K EY1 . $".split()],  # what lies between two words belongs to the later one
    }


PIECES = some.sampled_from([*"Mr. 42 3/4 NASA don't soooo the to read A VIII 9:05 …".split(), "\n", "'", "-"])


@settings(max_examples=60, deadline=None)
@given(
    some.one_of(some.text(), some.lists(some.one_of(PIECES, some.text(max_size=5))).map(" ".join)),
    some.booleans(),
)
def test_any_text_gives_known_symbols_each_of_a_written_word(text: str, more: bool) -> None:
    spelt = spell(text, more)
    assert set(spelt.symbols) <= set(TOKENS)
    assert len(spelt.words) == len(spelt.symbols)
    assert list(spelt.words) == sorted(spelt.words)
    assert all(0 <= word < len(text.split()) for word in spelt.words)
    if spelt.symbols:
        assert spelt.symbols[0] == spelt.symbols[-1] == PAD and len(spelt.symbols) > 2
        assert PAD not in spelt.symbols[1:-1]
        assert spelt.symbols[1] not in (SPACE, *PUNCTUATION)
        assert more or spelt.symbols[-2] in (".", "?", "!")


def test_the_package_with_the_dictionary_is_never_imported() -> None:
    convert("hello")
    assert not {"ttstokenizer", "nltk"} & set(sys.modules)
