"""Text to symbols: nothing fails, numbers are read as people say them, only trained symbols come out."""

import random
import sys

import pytest

from epsilon.engines.tts.phonemes import convert, pronounce
from epsilon.engines.tts.symbols import PAD, SPACE, TOKENS
from epsilon.engines.wording import cardinal, ordinal, spoken, year


def test_a_sentence() -> None:
    assert convert("Hello, world!") == "$ HH AH0 L OW1 , W ER1 L D ! $".split()


def test_words_are_parted_by_spaces() -> None:
    assert convert("a cat") == [PAD, "AH0", SPACE, "K", "AE1", "T", PAD]


@pytest.mark.parametrize("text", ["", "   ", "?!", "😀", "漢字", "...", "\n\t", "'", "-"])
def test_nothing_to_say(text: str) -> None:
    assert convert(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I have 3 cats.", "i have three cats."),
        ("It is 9:05 pm.", "it is nine oh five p m."),
        ("At 11:00 sharp", "at eleven o'clock sharp"),
        ("$250.50 or £1", "two hundred and fifty dollars and fifty cents or one pound"),
        ("5km, 1 kg, 20 km/h", "five kilometres, one kilogram, twenty kilometres per hour"),
        ("-5°C", "minus five degrees celsius"),
        ("the 21st, the 2nd", "the twenty first, the second"),
        ("in 1984 and 2005", "in nineteen eighty four and two thousand and five"),
        ("3.14", "three point one four"),
        ("007", "zero zero seven"),
        ("Dr. Smith vs. Mr. Jones", "doctor smith versus mister jones"),
        ("no. 5? No. It is no.", "number five? no. it is no."),
        ("cats & dogs", "cats and dogs"),
        ("100% sure", "one hundred percent sure"),
        ("well… no — yes; maybe", "well, no, yes, maybe"),
        ("naïve café", "naive cafe"),
        ("don’t", "don't"),
        ("e.g. this", "for example this"),
    ],
)
def test_said_as_people_say_it(text: str, words: str) -> None:
    assert spoken(text) == words


def test_numbers_in_words() -> None:
    assert cardinal(0) == "zero"
    assert (
        cardinal(1_234_567) == "one million two hundred and thirty four thousand five hundred and sixty seven"
    )
    assert [ordinal(n) for n in (1, 5, 12, 20, 100)] == [
        "first",
        "fifth",
        "twelfth",
        "twentieth",
        "one hundredth",
    ]
    assert [year(n) for n in (1900, 1905, 2024)] == [
        "nineteen hundred",
        "nineteen oh five",
        "twenty twenty four",
    ]


def test_marks_follow_their_words() -> None:
    assert [s for s in convert("Wait! Really?! Yes, no.") if s in ",.?!"] == ["!", "?", ",", "."]


def test_the_before_a_vowel() -> None:
    assert convert("the apple")[2] == "IY0"
    assert convert("the pear")[2] == "AH0"
    assert convert("bathe a dog")[4] == SPACE  # only the word, not every ending that sounds like it


def test_unknown_words_have_a_sound() -> None:
    assert pronounce("zblorgh")
    assert pronounce("pim's")[-1] == "Z"
    assert pronounce("zxcv") == tuple("Z IY1 EH1 K S S IY1 V IY1".split())  # letter by letter
    assert len(pronounce("a" * 10_000)) <= 20


def test_any_text_gives_known_symbols() -> None:
    rng = random.Random(0)
    ranges = [(32, 127), (32, 127), (0, 0x2000), (0x1F300, 0x1F700)]
    for _ in range(200):
        text = "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(60)))
        symbols = convert(text)
        assert set(symbols) <= set(TOKENS)
        assert not symbols or (symbols[0] == symbols[-1] == PAD and len(symbols) > 2)


def test_the_package_with_the_dictionary_is_never_imported() -> None:
    convert("hello")
    assert not {"ttstokenizer", "nltk"} & set(sys.modules)
