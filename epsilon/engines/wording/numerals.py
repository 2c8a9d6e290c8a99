"""Numbers in words, with the `and` of British English: two hundred and five, nineteen eighty four, three fifths."""

from __future__ import annotations

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_GROUPS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LONGEST = 15  # digits; beyond that they are read one by one
_LONGEST_UNGROUPED = 9  # whoever means a number that long writes commas: this is a telephone or an order
_LARGEST_DENOMINATOR = 100


def cardinal(number: int) -> str:
    """A whole number in words."""
    if number < 0:
        return "minus " + cardinal(-number)
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (" " + _ONES[number % 10] if number % 10 else "")
    size, name = next(group for group in _GROUPS if number >= group[0])
    rest = number % size
    joint = " and " if size == 100 or (size == 1000 and rest < 100) else " "
    return f"{cardinal(number // size)} {name}" + (joint + cardinal(rest) if rest else "")


def ordinal(number: int) -> str:
    """A rank in words: 21 is twenty first."""
    *head, last = cardinal(number).split()
    if last in _IRREGULAR_ORDINALS:
        last = _IRREGULAR_ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join([*head, last])


def number(written: str) -> str:
    """A number as written, with thousands commas, a minus sign or a decimal point, in words."""
    minus = "minus " if written.startswith("-") else ""
    whole, _, fraction = written.lstrip("-").replace(",", "").partition(".")
    if not whole:
        return f"{minus}point {digits(fraction)}"
    longest = _LONGEST if "," in written else _LONGEST_UNGROUPED
    if len(whole) > longest or (len(whole) > 1 and whole[0] == "0"):
        said = digits(whole)
    elif not fraction and "," not in written and len(whole) == 4:
        said = year(int(whole))
    else:
        said = cardinal(int(whole))
    return minus + said + (" point " + digits(fraction) if fraction else "")


def year(value: int) -> str:
    """Four digits as a year is said: 1984 in two halves, 2005 as a number."""
    century, rest = divmod(value, 100)
    if not 11 <= century <= 20 or 2000 <= value < 2010:
        return cardinal(value)
    if rest == 0:
        return cardinal(century) + " hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def decade(century: str, tens: str) -> str:
    """Ten years: ("19", "90") is nineteen nineties, ("", "20") twenties."""
    if tens == "00":
        return "two thousands" if century == "20" else f"{cardinal(int(century))} hundreds"
    return (
        f"{cardinal(int(century))} {plural(cardinal(int(tens)))}" if century else plural(cardinal(int(tens)))
    )


def digits(written: str, zero: str = "zero") -> str:
    """Digits one by one."""
    return " ".join(zero if digit == "0" else _ONES[int(digit)] for digit in written)


def fraction(above: int, below: int) -> str:
    """A part of a whole: three fifths, a half, one over two hundred."""
    if not 2 <= below <= _LARGEST_DENOMINATOR:
        return f"{cardinal(above)} over {cardinal(below)}"
    part = {2: "half", 4: "quarter"}.get(below) or ordinal(below)
    if above == 1:
        return f"a {part}" if below in (2, 4) else f"one {part}"
    return f"{cardinal(above)} {'halves' if below == 2 else plural(part)}"


def plural(word: str) -> str:
    """The regular plural: twenties, metres, inches."""
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("x", "ch", "s")) else "s")
