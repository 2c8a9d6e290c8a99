"""Words written alike and said differently: which one is meant, by the words beside it.

No tagger: a handful of neighbours decides nearly all of talk ("to close", "so close"), and where they say nothing the
commoner one is taken. `read` is also told by words such as `yesterday` anywhere in the phrase.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

_DETERMINERS = frozenset(
    "the a an my your his her its our their this that these those some any no every each another one two three "
    "which what whose first last next new old good big little of with in on for from".split()
)
_VERBAL = frozenset(
    "i you we they who to will would can could should must may might shall do don't didn't doesn't did does won't "
    "can't couldn't wouldn't shouldn't cannot let's please never always i'll you'll we'll they'll he'll she'll it'll "
    "i'd you'd we'd they'd he'd she'd not me us".split()
)
_THIRD = frozenset("he she it who that bram odette everybody nobody somebody everyone someone".split())
_HAVE = frozenset(
    "have has had i've you've we've they've haven't hasn't hadn't was were been is are be being it's that's got "
    "already ever".split()
)
_STATES = frozenset(
    "is are am was were be been i'm you're we're they're he's she's it's that's so very too quite really how feel "
    "feels felt as more most less came come comes get getting".split()
)
_THINGS = frozenset(
    "the a an my your his her its our their this that these those it them me us him all".split()
)
_PAST = frozenset("yesterday ago last once earlier".split())


class _Beside(NamedTuple):
    """What stands around a word."""

    before: str
    after: str
    words: frozenset[str]  # of the whole phrase

    @property
    def verbal(self) -> bool:
        return self.before in _VERBAL

    @property
    def nominal(self) -> bool:
        return self.before in _DETERMINERS or self.before.endswith("'s")


_Test = Callable[[_Beside], bool]

# A word as a noun (or adjective), as a verb, and which it is when its neighbours say nothing.
_NOUN_OR_VERB: dict[str, tuple[str, str, str]] = {
    "abuse": ("AH0 B Y UW1 S", "AH0 B Y UW1 Z", "noun"),
    "conduct": ("K AA1 N D AH0 K T", "K AH0 N D AH1 K T", "verb"),
    "conflict": ("K AA1 N F L IH0 K T", "K AH0 N F L IH1 K T", "noun"),
    "contest": ("K AA1 N T EH0 S T", "K AH0 N T EH1 S T", "noun"),
    "contract": ("K AA1 N T R AE0 K T", "K AH0 N T R AE1 K T", "noun"),
    "convict": ("K AA1 N V IH0 K T", "K AH0 N V IH1 K T", "noun"),
    "decrease": ("D IY1 K R IY0 S", "D IH0 K R IY1 S", "verb"),
    "desert": ("D EH1 Z ER0 T", "D IH0 Z ER1 T", "noun"),
    "discount": ("D IH1 S K AW0 N T", "D IH0 S K AW1 N T", "noun"),
    "escort": ("EH1 S K AO0 R T", "EH0 S K AO1 R T", "noun"),
    "estimate": ("EH1 S T AH0 M AH0 T", "EH1 S T AH0 M EY0 T", "noun"),
    "excuse": ("IH0 K S K Y UW1 S", "IH0 K S K Y UW1 Z", "verb"),
    "export": ("EH1 K S P AO0 R T", "IH0 K S P AO1 R T", "noun"),
    "graduate": ("G R AE1 JH AH0 W AH0 T", "G R AE1 JH AH0 W EY0 T", "verb"),
    "import": ("IH1 M P AO0 R T", "IH0 M P AO1 R T", "noun"),
    "increase": ("IH1 N K R IY0 S", "IH0 N K R IY1 S", "verb"),
    "insult": ("IH1 N S AH0 L T", "IH0 N S AH1 L T", "noun"),
    "object": ("AA1 B JH EH0 K T", "AH0 B JH EH1 K T", "noun"),
    "perfect": ("P ER1 F IH0 K T", "P ER0 F EH1 K T", "noun"),
    "permit": ("P ER1 M IH0 T", "P ER0 M IH1 T", "noun"),
    "present": ("P R EH1 Z AH0 N T", "P R IY0 Z EH1 N T", "noun"),
    "produce": ("P R OW1 D UW0 S", "P R AH0 D UW1 S", "verb"),
    "progress": ("P R AA1 G R EH0 S", "P R AH0 G R EH1 S", "noun"),
    "project": ("P R AA1 JH EH0 K T", "P R AH0 JH EH1 K T", "noun"),
    "protest": ("P R OW1 T EH0 S T", "P R AH0 T EH1 S T", "noun"),
    "rebel": ("R EH1 B AH0 L", "R IH0 B EH1 L", "noun"),
    "record": ("R EH1 K ER0 D", "R IH0 K AO1 R D", "noun"),
    "refund": ("R IY1 F AH0 N D", "R IH0 F AH1 N D", "noun"),
    "refuse": ("R EH1 F Y UW0 Z", "R IH0 F Y UW1 Z", "verb"),
    "reject": ("R IY1 JH EH0 K T", "R IH0 JH EH1 K T", "verb"),
    "separate": ("S EH1 P ER0 AH0 T", "S EH1 P ER0 EY0 T", "noun"),
    "subject": ("S AH1 B JH IH0 K T", "S AH0 B JH EH1 K T", "noun"),
    "suspect": ("S AH1 S P EH0 K T", "S AH0 S P EH1 K T", "verb"),
    "transport": ("T R AE1 N S P AO0 R T", "T R AE0 N S P AO1 R T", "noun"),
    "upset": ("AH1 P S EH0 T", "AH0 P S EH1 T", "verb"),
    "use": ("Y UW1 S", "Y UW1 Z", "verb"),
}


def _is_read_past(beside: _Beside) -> bool:
    return beside.before in _HAVE | {"he", "she"} or bool(beside.words & _PAST)


def _winds(beside: _Beside) -> bool:
    return (beside.verbal or beside.before in ("", "and")) and beside.after in _THINGS | {
        "up",
        "down",
        "around",
    }


def _tears(beside: _Beside) -> bool:
    return (
        beside.verbal
        or beside.after in _THINGS | {"apart", "up", "off"}
        or (beside.after == "in" and beside.before == "a")
    )


def _closes(beside: _Beside) -> bool:
    return (beside.verbal and beside.before not in _STATES) or (
        beside.after in _THINGS and beside.before not in _STATES
    )


def _is_live(beside: _Beside) -> bool:
    shows = ("music", "show", "band", "concert", "tv", "wire", "wires", "stream", "performance", "audience")
    return beside.after in shows or (
        beside.before in _STATES | {"go", "going", "went"} and beside.after != "in"
    )


def _is_content(beside: _Beside) -> bool:
    return beside.before in _STATES | {"and"}


def _is_metal(beside: _Beside) -> bool:
    things = ("pipe", "pipes", "pencil", "balloon", "weight", "paint", "shot", "roof", "and")
    return beside.after in things or (
        beside.before in ("of", "heavy", "like", "melted") and beside.after != "in"
    )


def _is_music(beside: _Beside) -> bool:
    return beside.after not in ("fish", "fishing") and not beside.words & {
        "fish",
        "fishing",
        "lake",
        "caught",
    }


# Each way to say a word with what must stand beside it; the last one is for everything else.
_OTHERS: dict[str, tuple[tuple[str, _Test | None], ...]] = {
    "read": (("R EH1 D", _is_read_past), ("R IY1 D", None)),
    "wind": (("W AY1 N D", _winds), ("W IH1 N D", None)),
    "wound": (("W AW1 N D", lambda it: it.after in _THINGS | {"up", "around", "round"}), ("W UW1 N D", None)),
    "tear": (("T EH1 R", _tears), ("T IH1 R", None)),
    "tears": (
        ("T EH1 R Z", lambda it: it.before in _THIRD and it.after in _THINGS | {"apart", "up", "off"}),
        ("T IH1 R Z", None),
    ),
    "close": (("K L OW1 Z", _closes), ("K L OW1 S", None)),
    "live": (("L AY1 V", _is_live), ("L IH1 V", None)),
    "lives": (
        (
            "L AY1 V Z",
            lambda it: it.before not in ("what", "which") and (it.nominal or it.before in ("nine", "many")),
        ),
        ("L IH1 V Z", None),
    ),
    "content": (("K AH0 N T EH1 N T", _is_content), ("K AA1 N T EH0 N T", None)),
    "lead": (("L EH1 D", _is_metal), ("L IY1 D", None)),
    "bass": (("B EY1 S", _is_music), ("B AE1 S", None)),
    "bow": (("B AW1", lambda it: it.verbal or it.words & {"take", "took", "deep"} != set()), ("B OW1", None)),
    "dove": (("D OW1 V", lambda it: it.after in ("in", "into", "down", "under")), ("D AH1 V", None)),
    "used": (
        (
            "Y UW1 S T",
            lambda it: it.after == "to" and it.before not in ("is", "was", "are", "were", "be", "been"),
        ),
        ("Y UW1 Z D", None),
    ),
    "a": (("EY1", lambda it: it.before in ("letter", "vitamin")), ("AH0", None)),
}


def meant(words: Sequence[str], at: int) -> str | None:
    """The phonemes of `words[at]` (lower case, as said) in its phrase, None for a word with one way to say it."""
    word = words[at]
    stem = word[:-1] if word.endswith("s") and word[:-1] in _NOUN_OR_VERB else word
    if stem not in _NOUN_OR_VERB and word not in _OTHERS:
        return None
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    beside = _Beside(before, after, frozenset(words))
    if word in _OTHERS:
        return next(sounds for sounds, test in _OTHERS[word] if test is None or test(beside))
    sounds = _NOUN_OR_VERB[stem][0 if _is_noun(beside, stem, word) else 1]
    return sounds if stem == word else sounds + _ending(sounds)


def _is_noun(beside: _Beside, stem: str, word: str) -> bool:
    """By the word before; a form in s is a verb behind he or she and else a noun."""
    if word != stem:
        return beside.before not in _THIRD
    if beside.verbal:
        return False
    if beside.nominal:
        return True
    return _NOUN_OR_VERB[stem][2] == "noun" and beside.after not in ("me", "it", "them", "him")


def _ending(sounds: str) -> str:
    last = sounds.split()[-1]
    return " IH0 Z" if last in ("S", "Z") else " S" if last in ("T", "K", "P", "F") else " Z"
