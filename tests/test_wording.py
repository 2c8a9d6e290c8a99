"""Written text to spoken words: what people say for numbers, signs and abbreviations, and which written word it was."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from epsilon.engines.wording import Said, cardinal, is_abbreviation, ordinal, say, spoken, year

SAID = {
    # numbers
    "I have 3 cats.": "i have three cats.",
    "3.14, .5 and -2": "three point one four, point five and minus two",
    "1,234,567 bees": "one million two hundred and thirty four thousand five hundred and sixty seven bees",
    "007": "zero zero seven",
    "the 21st, the 2nd": "the twenty first, the second",
    "3-5 cats, 3–5 km": "three to five cats, three to five kilometres",
    "3/5, 1/2, 2 1/2 and 2½": "three fifths, a half, two and a half and two and a half",
    "24/7": "twenty four seven",
    "5 + 3 = 8, 5 - 3, 4 x 4": "five plus three equals eight, five minus three, four times four",
    "3 < 5, x², 10^2": "three is less than five, x squared, ten squared",
    "#1 of ~20": "number one of about twenty",
    "call 555-1234": "call five five five, one two three four",
    "+44 20 7946 0958": "plus four four, two oh, seven nine four six, oh nine five eight",
    "version 2.0.1": "version two point zero point one",
    # money and measures
    "$250.50 or £1": "two hundred and fifty dollars and fifty cents or one pound",
    "$5 million, £1.2m, 50p, 5 €": "five million dollars, one point two million pounds, fifty pence, five euros",
    "5km, 1 kg, 20 km/h": "five kilometres, one kilogram, twenty kilometres per hour",
    "-5°C, 45°, 100%": "minus five degrees celsius, forty five degrees, one hundred percent",
    "5 m², 2.5 GHz, 60 W": "five square metres, two point five gigahertz, sixty watts",
    "It's 5'11\" tall": "it's five foot eleven tall",
    # times and dates
    "It is 9:05 pm.": "it is nine oh five p m.",
    "At 11:00 sharp, 21:30": "at eleven o'clock sharp, twenty one thirty",
    "Meet at 5 p.m. Then eat.": "meet at five p m. then eat.",
    "on 3 May 2026": "on the third of may twenty twenty six",
    "the 3rd of May": "the third of may",
    "May 3, 2026": "may third twenty twenty six",
    "2026-05-03": "the third of may twenty twenty six",
    "3 may do": "three may do",
    "in 1984 and 2005": "in nineteen eighty four and two thousand and five",
    "the 1990s, '80s": "the nineteen nineties, eighties",
    "7am-9pm, 6:30-7:30, 00:00": "seven a m to nine p m, six thirty to seven thirty, midnight",
    "won 3:1": "won three to one",
    # abbreviations, names and letters
    "Dr. Smith vs. Mr. Jones": "doctor smith versus mister jones",
    "Baker St. near St. Ives": "baker street near saint ives",
    "no. 5? No. It is no.": "number five? no. it is no.",
    "e.g. this, i.e. that, etc.": "for example this, that is that, et cetera.",
    "J. R. Badger, the U.S. Navy": "j r badger, the u s navy",
    "Henry VIII and Chapter IV": "henry the eighth and chapter four",
    "They wed. I ate a fig. See fig. 3.": "they wed. i ate a fig. see figure three.",
    "on Wed. 5 Jan. 2026": "on wednesday the fifth of january twenty twenty six",
    "World War II. Then I left": "world war two. then i left",
    "salt &c. and w/o milk": "salt et cetera and without milk",
    "p. 5 and pp. 3-5": "page five and pages three to five",
    "rock'n'roll, rock 'n' roll": "rock 'n roll, rock 'n roll",
    "an MP3 of H2O, Q&A": "an m p three of h two o, q and a",
    # addresses
    "bram@toy.org": "bram at toy dot org",
    "see https://www.example.com/a-b.": "see example dot com slash a dash b.",
    "the file notes.txt": "the file notes dot txt",
    # signs and pictures
    "cats & dogs": "cats and dogs",
    "well… no — yes; maybe - not": "well, no, yes, maybe, not",
    'a "quoted" (and small) thing': "a quoted, and small, thing",
    "well-known *stars* and _lines_": "well known stars and lines",
    "Nice 😀 day :) 😂😂 <3": "nice day haha",
    "I ❤ puddles 🎉": "i love puddles hooray",
    "naïve café, straße, don’t": "naive cafe, strasse, don't",
    "STOP THAT NOW": "stop that now",
    "Really?! Yes...": "really? yes,",
}


@pytest.mark.parametrize(("text", "words"), SAID.items())
def test_said_as_people_say_it(text: str, words: str) -> None:
    assert spoken(text) == words


def test_numbers_in_words() -> None:
    assert cardinal(0) == "zero"
    assert cardinal(1_000_001) == "one million one"
    assert [ordinal(n) for n in (1, 12, 20, 100)] == ["first", "twelfth", "twentieth", "one hundredth"]
    assert [year(n) for n in (1900, 1905, 2024)] == [
        "nineteen hundred",
        "nineteen oh five",
        "twenty twenty four",
    ]


def test_each_word_knows_the_written_word_it_came_from() -> None:
    assert say("At 9:05 pm, yes!") == [
        Said("at", "", 0),
        Said("nine", "", 1),
        Said("oh", "", 1),
        Said("five", "", 1),
        Said("P", "", 2),
        Said("M", ",", 2),
        Said("yes", "!", 3),
    ]
    assert [word.place for word in say("well-known 😀 end")] == [0, 0, 2]


def test_what_may_have_to_be_spelt_is_in_capitals() -> None:
    assert [word.word for word in say("NASA has TVs, B and A cat on plan A.")] == [
        *("NASA", "has", "TVs", "B", "and", "a", "cat", "on", "plan", "A"),
    ]
    assert [word.word for word in say("I AM SO GLAD")] == ["i", "am", "so", "glad"]


@pytest.mark.parametrize(
    ("word", "before", "following", "belongs"),
    [
        ("Mr.", "said", "F", True),
        ("p.m.", "5", "a", True),
        ("p.m.", "5", "T", False),
        ("No.", "", "5", True),
        ("No.", "", "I", False),
        ("fig.", "a", "T", False),
        ("ft.", "6", "t", True),
        ("J.", "is", "R", True),
        ("B.", "plan", "T", False),
        ("soup.", "hot", "I", False),
        ("etc.", "soup,", "", False),
    ],
)
def test_a_dot_may_belong_to_its_word(word: str, before: str, following: str, belongs: bool) -> None:
    assert is_abbreviation(word, before, following) == belongs


PIECES = some.sampled_from(
    "1 2.5 1,000 $ £5 9:05 pm 3/4 ½ km % - – VIII I A. Mr. e.g. NASA @ .com ' \" ( ) … ❤ é 漢 -5 # x".split()
)


@settings(max_examples=60, deadline=None)
@given(some.one_of(some.text(), some.lists(some.one_of(PIECES, some.text(max_size=4))).map(" ".join)))
def test_any_text_is_said_in_plain_words_in_the_order_of_the_written_ones(text: str) -> None:
    said = say(text)
    assert all(word.word.isascii() and word.word.replace("'", "").isalpha() for word in said)
    assert all(word.mark in ("", ",", ".", "?", "!") for word in said)
    places = [word.place for word in said]
    assert places == sorted(places) and all(0 <= place < len(text.split()) for place in places)


def test_a_line_of_noise_is_read_without_failing() -> None:
    rng = random.Random(0)
    signs = "0123456789.,:/-$£%°½'\"()&@#*+=<> abIVXpm"
    for _ in range(300):
        say("".join(rng.choice(signs) for _ in range(40)))
