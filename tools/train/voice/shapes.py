"""Sentences made for their melody: lists, both kinds of questions, exclamations, numbers, of the ears' words."""

from __future__ import annotations

import random
import re

from tools.train.text.numbers import clock_time, digits, number
from tools.train.text.sentences import Sentences

_SLOT = re.compile(r"\{(\w+)\}")
_SPOKEN = {"num": number, "digits": digits, "time": clock_time}
_LISTED = (
    "animals",
    "foods",
    "colour",
    "day",
    "family",
    "instrument",
    "clothes",
    "fantasy",
    "weathern",
    "planet",
)
_LISTS = (
    "{list}.",
    "{list}!",
    "I have {list}.",
    "I like {list}.",
    "We need {list}, please.",
    "My favourites are {list}.",
    "There were {list}, and nobody else.",
    "I packed {list}, and a {thing}.",
    "First {list}, then we sleep.",
    "I {verbp}, I {verbp}, and I {verbp}.",
    "She was {adj}, {adj}, and {adj}.",
    "You {verb}, you {verb}, then you {verb}.",
)
_YES_NO = (
    "Do you like {list}?",
    "Do you like {animals}?",
    "Is it {adj}?",
    "Are you {feel}?",
    "Are you {adj}, {name}?",
    "Can you {verb}?",
    "Can we {verb} in the {place}?",
    "Did you see the {animal}?",
    "Did the {animal} {verb} the {thing}?",
    "Have you ever seen a {adj} {animal}?",
    "Shall we {verb}?",
    "Shall I tell you about the {fantasy}?",
    "Would you like some {food}?",
    "Would you like {food} or {food}?",
    "Is your {body} {adj}?",
    "Was it a {animal}?",
    "Will you {verb} with me?",
    "Ready?",
    "Really?",
    "A {animal}?",
    "A {adj} {thing}?",
    "In the {place}?",
    "{name}?",
    "You saw a {animal}?",
    "Was it {weathern}, {weathern}, or {weathern}?",
    "It's {adj}, isn't it?",
    "You {verb} too, don't you?",
    "Hm, is the {thing} {adj}?",
    "Oh, do you have a {thing}?",
)
_WH = (
    "What is a {thing}?",
    "What did the {animal} say?",
    "What colour is the {thing}?",
    "Where is the {place}?",
    "Where does the {animal} live?",
    "Who took my {thing}?",
    "Who is {name}?",
    "When is {holiday}?",
    "When do we {verb}?",
    "Why is the {thing} {adj}?",
    "Why do {animals} {verb}?",
    "How do you {verb}?",
    "How many {animals} did you see?",
    "How was your {day}?",
    "Which {food} do you like best?",
    "And what did you do then?",
    "So where did it go?",
    "Oh, why is that?",
    "Well, what happened next, {name}?",
)
_CRIES = (
    "Hooray!",
    "Wow!",
    "Splendid!",
    "How {adj}!",
    "What a {adj} {animal}!",
    "What a {thing}!",
    "Oh no!",
    "Oh no, my {thing}!",
    "Look, a {animal}!",
    "A {fantasy}!",
    "I love {foods}!",
    "You did it!",
    "Stop!",
    "Yes, yes, yes!",
    "No!",
    "Come here, {name}!",
    "Happy {holiday}!",
    "Hee hee, {adj}!",
    "Good {animal}!",
    "It was so {adj}!",
)
_NUMBERS = (
    "{num}.",
    "{num}, {num}, {num}.",
    "One, two, three, {num}!",
    "It is {time}.",
    "It's {time}, {name}.",
    "There are {num} {animals}.",
    "{num} and {num} is {num}.",
    "I am {num} years old.",
    "Call {digits}.",
    "About {num} {unit}.",
    "Is it {time} already?",
    "Page {num}, chapter {num}.",
)
_KINDS = (_LISTS, _LISTS, _YES_NO, _YES_NO, _WH, _WH, _CRIES, _CRIES, _NUMBERS)


def melodious(words: Sentences, rng: random.Random) -> str:
    """One sentence of a shape whose melody the voice should know, with its punctuation."""
    shape = rng.choice(rng.choice(_KINDS))
    text = _SLOT.sub(lambda found: _fill(found.group(1), words, rng), shape)
    return text[0].upper() + text[1:]


def _fill(slot: str, words: Sentences, rng: random.Random) -> str:
    if slot in _SPOKEN:
        return _SPOKEN[slot](rng)
    if slot != "list":
        return rng.choice(words.slots[slot])
    items = rng.sample(words.slots[rng.choice(_LISTED)], rng.randint(3, 5))
    joint = rng.choice((", and ", " and ", ", "))
    return ", ".join(items[:-1]) + joint + items[-1]
