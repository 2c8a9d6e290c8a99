"""How one word sounds, in ARPAbet: from the dictionary, from its parts, or as it is spelt."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from epsilon.engines.tts.letters import agrees, read_letters
from epsilon.engines.tts.lexicon import Lexicon

Sounds = tuple[str, ...]

# Words whose first entry in the dictionary is the rarer one in talk, and sounds that no dictionary lists.
_OWN: dict[str, str] = {
    "hear": "HH IH1 R",
    "here": "HH IH1 R",
    "ear": "IH1 R",
    "ears": "IH1 R Z",
    "hearing": "HH IH1 R IH0 NG",
    "poor": "P UH1 R",
    "you're": "Y AO1 R",
    "they're": "DH EH1 R",
    "we're": "W IH1 R",
    "were": "W ER0",
    "into": "IH0 N T UW1",
    "our": "AW1 ER0",
    "grandma": "G R AE1 M AA0",
    "ooh": "UW1",
    "aah": "AA1",
    "ahh": "AA1",
    "ohh": "OW1",
    "aww": "AO1",
    "eek": "IY1 K",
    "hee": "HH IY1",
    "haha": "HH AA1 HH AA1",
    "hehe": "HH EH1 HH EH1",
    "hihi": "HH IY1 HH IY1",
    "mm": "M AH1 M",
    "mmm": "M AH1 M",
    "mhm": "AH0 M HH AH1 M",
    "shh": "SH SH",
    "ssh": "SH SH",
    "zz": "Z Z Z",
    "ugh": "AH1 G",
    "pff": "P F F",
    "phew": "F Y UW1",
    "huh": "HH AH1",
    "yay": "Y EY1",
    "yum": "Y AH1 M",
    "yippee": "Y IH1 P IY0",
    "woohoo": "W UW1 HH UW1",
    "achoo": "AH0 CH UW1",
    "miz": "M IH1 Z",
    "emoji": "IH0 M OW1 JH IY0",
    "dot": "D AA1 T",
    "'em": "AH0 M",
    "'n": "AH0 N",
    "'bout": "B AW1 T",
    "'round": "R AW1 N D",
}
_LETTERS: dict[str, str] = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            "EY1|B IY1|S IY1|D IY1|IY1|EH1 F|JH IY1|EY1 CH|AY1|JH EY1|K EY1|EH1 L|EH1 M|EH1 N|OW1|P IY1|K Y UW1|AA1 R|"
            "EH1 S|T IY1|Y UW1|V IY1|D AH1 B AH0 L Y UW1|EH1 K S|W AY1|Z IY1"
        ).split("|"),
        strict=True,
    )
)
_SPELT = frozenset(
    "AD AM BC BCE CE DIY EU ID IT LED MP PC PM UK UN US".split()
)  # though they look like words
_SOFT = frozenset("S Z SH ZH CH JH".split())
_VOICELESS = frozenset("P T K F TH".split())
_CONTRACTIONS = {"'ll": ("AH0", "L"), "'d": ("D",), "'ve": ("V",), "'re": ("ER0",), "'m": ("M",)}
_ENDINGS: dict[str, Sounds] = {  # of words made up from known ones: puddler, quackish
    "ing": ("IH0", "NG"),
    "er": ("ER0",),
    "est": ("AH0", "S", "T"),
    "ly": ("L", "IY0"),
    "ness": ("N", "AH0", "S"),
    "less": ("L", "AH0", "S"),
    "ful": ("F", "AH0", "L"),
    "ish": ("IH0", "SH"),
    "y": ("IY0",),
}
# Noises without a vowel: hrmf, hmpf, grr, brrm, pfft, psst, tss.
_NOISE = re.compile(r"h*r{2,}m*(?:ph|p?f*)|h+r*m+(?:ph|p?f*)|[gbv]r+m*|pf+t*|ps+t|ts+k*")
_NOISES = {
    "h": "HH",
    "r": "ER1",
    "m": "M",
    "ph": "F",
    **{letter: letter.upper() for letter in "pfgbvstk"},
}
_LONG = re.compile(r"([a-z])\1{2,}")
_LONG_END = re.compile(r"([a-z])\1{2,}$")
_SINGLE_END = re.compile(
    r"[^aeiou][aeiou][^aeiouwxy]$"
)  # as in strip: before an ending the p would be doubled
_ENDS_DOUBLE = frozenset(
    "too zoo boo woo moo coo see bee free three tree all hee wee aah ahh ohh ooh shh brr grr hmm pff aww zz mm".split()
)
_LONGEST_WORD = 40  # letters; a keyboard rolled over by a cat is not read out in full
_SHORTEST_PART = 4  # letters of each half of a compound
_CACHED_WORDS = 1024
_UNREADABLE = 5  # letters without a vowel among them are read one by one


@cache
def _lexicon() -> Lexicon:
    return Lexicon()


def pronounce(word: str) -> Sounds:
    """Dictionary phonemes of one word; () for an empty one. One in capitals may be read letter by letter.

    Raises ModelError if the dictionary package is not installed.
    """
    word = word[:_LONGEST_WORD]
    if not word:
        return ()
    if word[0].isupper():
        return _capitals(word)
    return _readable(word) or _derived(word) or _unknown(word.replace("'", ""))


def _known(word: str) -> Sounds | None:
    own = _OWN.get(word)
    return tuple(own.split()) if own else _lexicon().find(word)


def _readable(word: str) -> Sounds | None:
    """A word of the dictionary, drawn out or not, or a noise."""
    return _noise(word) or _known(word) or _drawn_out(word)


def _capitals(word: str) -> Sounds:
    """A word if it is one (NASA, STOP, NOOO), else its letters (DIY); with an s if it has one behind it."""
    core = re.match(r"[A-Z]+", word)
    assert core is not None
    letters, ending = core[0], word[core.end() :]
    known = None if letters in _SPELT or len(letters) == 1 else _readable(letters.lower())
    sounds = known or (_spelt(letters) if len(letters) <= _UNREADABLE else pronounce(letters.lower()))
    return sounds + _plural(sounds[-1]) if ending else sounds


def _spelt(letters: str) -> Sounds:
    return tuple(sound for letter in letters.lower() for sound in _LETTERS[letter].split())


def _noise(word: str) -> Sounds | None:
    if not _NOISE.fullmatch(word):
        return None
    sounds = [_NOISES[found[0]] for found in re.finditer(r"ph|([a-z])(?=(?!\1))", word)]
    if "M" in sounds and "ER1" not in sounds:
        sounds.insert(sounds.index("M"), "AH1")
    return tuple(sounds)


def _drawn_out(word: str) -> Sounds | None:
    """Soooo, noooo and goood are so, no and good."""
    if not _LONG.search(word):
        return None
    single, double = _LONG.sub(r"\1", word), _LONG.sub(r"\1\1", word)
    ends = _LONG_END.search(word) is not None and double not in _ENDS_DOUBLE
    first, second = (single, double) if ends else (double, single)
    return _known(first) or _known(second)


def _derived(word: str) -> Sounds | None:
    """A known word with an ending, or two known words written as one."""
    for ending, sounds in _CONTRACTIONS.items():
        if word.endswith(ending) and (stem := _known(word.removesuffix(ending))):
            return stem + sounds
    if (
        word.endswith("s")
        and not word.endswith("ss")
        and (stem := _known(word.removesuffix("s").rstrip("'")))
    ):
        return stem + _plural(stem[-1])
    if word.endswith("ed") and (stem := _stem(word, "ed")):
        return stem + _past(stem[-1])
    for ending, sounds in _ENDINGS.items():
        if word.endswith(ending) and (stem := _stem(word, ending)):
            return stem + sounds
    return _compound(word)


def _stem(word: str, ending: str) -> Sounds | None:
    """What the ending was put to: puddl(e)ing, quackish, fluff(f)y, funn(y)iest."""
    base = word.removesuffix(ending)
    if len(base) < 3:
        return None
    forms = [base, base + "e"] if ending not in ("ly", "ness", "less", "ful") else [base]
    if _SINGLE_END.search(base):  # so striped and stripy come from stripe
        forms.reverse()
    if base[-1] == base[-2]:
        forms.append(base[:-1])
    if base[-1] == "i":
        forms.append(base[:-1] + "y")
    return next((found for form in forms if (found := _known(form))), None)


def _compound(word: str) -> Sounds | None:
    for at in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
        if (first := _known(word[:at])) and (second := _known(word[at:])):
            return first + tuple(sound.replace("1", "2") for sound in second)
    return None


def _plural(last: str) -> Sounds:
    if last in _SOFT:
        return ("IH0", "Z")
    return ("S",) if last in _VOICELESS else ("Z",)


def _past(last: str) -> Sounds:
    if last in ("T", "D"):
        return ("IH0", "D")
    return ("T",) if last in _VOICELESS | {"S", "SH", "CH"} else ("D",)


@lru_cache(_CACHED_WORDS)
def _unknown(word: str) -> Sounds:
    """Letter by letter where no one could read it as a word, else as it is spelt.

    The network that guesses has a good ear for English, but puts sounds into names that nobody wrote: its guess counts
    where the rules of letters find the same consonants and syllables.
    """
    if len(word) == 1 or (len(word) <= _UNREADABLE and not set(word) & set("aeiouy")):
        return _spelt(word)
    guess = _lexicon().guess(word) if word else ()
    return (guess if agrees(word, guess) else read_letters(word)) or _spelt(word)
