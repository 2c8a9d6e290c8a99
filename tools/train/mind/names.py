"""Names that nobody has: syllables that sound like a name, so that any name can be repeated."""

import random

_ONSETS = ("", "", "") + tuple(
    "b br c ch cl cr d dr f fl g gl gr h j k kr l m n p pr ph qu r s sh sl st t th tr v w x y z".split()
)
_VOWELS = tuple("a a a e e e i i i o o u ai ea ee ia io ou y au".split())
_MIDDLES = tuple(
    (
        "b br d l ll lv m mm n nn nd ng r rr rl rt s ss st t tt th v z zz k ck g p ph ld lm rn x sh nk f rv "
        "dr y"
    ).split()
)
_ENDINGS = tuple(
    (
        "a a ia ina ella ette elle ie y ey o e i an en in on yn us as is iel el al il ar er or ard bert rick "
        "wyn son ton ley lyn mund fred ka ko ra na lia sha ita eth ine ius im ah eo as"
    ).split()
)
_SHORT_ENDINGS = tuple("n x m t d ck b l s ng nk sh th p g ne ke de".split())


def made_up(rng: random.Random) -> str:
    """One to four syllables."""
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(_ONSETS[3:]) + rng.choice(_VOWELS[:12]) + rng.choice(_SHORT_ENDINGS)
    parts = [rng.choice(_ONSETS), rng.choice(_VOWELS), rng.choice(_MIDDLES)]
    if kind > 0.65:
        parts += [rng.choice(_VOWELS[:12]), rng.choice(_MIDDLES)]
    if kind > 0.95:
        parts += [rng.choice(_VOWELS[:12]), rng.choice(_MIDDLES)]
    return "".join([*parts, rng.choice(_ENDINGS)])
