"""Numbers, digit strings and times of day as they are spoken."""

from __future__ import annotations

import random

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spell(value: int, joiner: str = " and ") -> str:
    """Words for 0 … 9999; `joiner` stands after the hundreds."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10 - 2] + (f" {_ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        return _ONES[value // 100] + " hundred" + (joiner + spell(value % 100) if value % 100 else "")
    return spell(value // 1000) + " thousand" + (f" {spell(value % 1000, joiner)}" if value % 1000 else "")


def number(rng: random.Random) -> str:
    """A number, mostly small."""
    kind = rng.random()
    if kind < 0.5:
        return spell(rng.randrange(13))
    if kind < 0.85:
        return spell(rng.randrange(100))
    large = rng.choice([rng.randrange(100, 1000), rng.randrange(1, 10) * 1000, rng.randrange(1900, 2030)])
    return spell(large, rng.choice([" and ", " "]))


def digits(rng: random.Random) -> str:
    """A telephone-like string of three to seven digits."""
    return " ".join(rng.choice(_ONES[:10]) for _ in range(rng.randrange(3, 8)))


def clock_time(rng: random.Random) -> str:
    """A time of day."""
    hour = _ONES[rng.randrange(1, 13)]
    before = ["half past", "quarter past", "quarter to", "ten past", "twenty to"]
    after = ["o'clock", "thirty", "fifteen"]
    forms = [f"{word} {hour}" for word in before] + [f"{hour} {word}" for word in after]
    return rng.choice([*forms, "noon", "midnight"])
