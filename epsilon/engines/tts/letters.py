"""How a word that no dictionary has is read: letter by letter, by rules for names and made-up words.

First rules from the longest to the shortest group of letters, as in the letter-to-sound rules of Elovitz et al. (1976,
NRL Report 7948), here few and for names that somebody invents; then the beat: on the last syllable but one when that is
heavy, else on the one before it, as in Latin, but on the first in a name with an English ending.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_V = "[aeiouy]"
_CLASSES = {  # what the capitals in the table stand for
    "V": _V,
    "P": f"{_V}.*$",  # before: there was a vowel already
    "C": "[^aeiouyr]|$",  # after: a consonant or nothing, so that an r colours its vowel
    "O": f"[^aeiouyxhw]{_V}|[bcdgkpt][lr]{_V}|[cpst]h{_V}",  # after: what begins a syllable, and its vowel
    "E": "[^aeiouyxrw]e$",  # after: one consonant and a silent e
    "S": "[^aeiouyxr][aou]$",  # after: one consonant and a last vowel
}
# For each first letter, rules `letters=sounds/after/before`, of which the first that fits counts: what stands after and
# before the letters are regular expressions. A vowel with * never has the beat, one with ! always.
_TABLE = """
a=AH*/$  ah=AH*/$  age=IH*.JH/$/P  ard=ER*.D/$/P  ar=ER*/$/P  al=AH*.L/$/P  an=AH*.N/$/P  as=AH*.S/$/P
able=AH*.B.AH*.L/$  all=AO.L/$  air=EH.R  are=EH.R/$  ai=EY  ay=EY  ae=EY  au=AO  aw=AO  ar=AA.R/C  a=EY/E  a=AA/O  a=AE
bb=B  b=B
cch=K  cc=K.S/[eiy]  cc=K  ch=CH  ck=K  c=S/[eiy]  c=K
dg=JH/[eiy]  dd=D  d=D
ette=EH!.T/$  elle=EH!.L/$  ella=EH!.L.AH*/$  ee=IY  eau=OW  ear=IH.R  ea=IY  ey=IY*/$/P  ey=EY  ei=EY  eu=UW  ew=UW
eo=IY.OW  er=ER*/$/P  ere=IH.R/$  er=ER/C  en=AH*.N/$/P  el=AH*.L/$/P  eth=IH*.TH/$/P  e=/$/P  e=IY/S  e=IY/$  e=EH
ff=F  f=F
gg=G  gh=G/V/^$  gh=  gn=N//^$  g=JH/[eiy]  g=G
h=HH/V  h=
ing=IH*.NG/$/P  ine=IY!.N/$/P  ina=IY!.N.AH*/$/P  ita=IY!.T.AH*/$/P  ius=IY*.AH*.S/$  iel=IY*.AH*.L/$  ie=IY*/$/P
ie=IY  igh=AY  i=IY*/V|$  ir=ER/C  ic=IH*.K/$/P  i=AY/E  i=IY/S  i=IH
j=JH
kn=N//^$  kh=K  kk=K  k=K
le=AH*.L/$/[^aeiouy]$  ll=L  l=L
mb=M/$  mm=M  m=M
ng=NG/$|[^aeiouylr]  ng=N.JH/[eiy]  ng=NG.G  n=NG/[kx]  nn=N  n=N
ous=AH*.S/$  ound=AW.N.D  oo=UW  oa=OW  oe=OW.IY*/$  oi=OY  oy=OY  ou=UW  ow=OW  or=ER*/$/P  or=AO.R  on=AH*.N/$/P
o=OW*/$/P  o=OW/O|E|$  o=AA
ph=F  pp=P  p=P
qu=K.W  q=K
rh=R  rr=R  r=R
sch=S.K  sh=SH  ss=S  sc=S/[eiy]  s=Z/V/V$  s=Z/$/[bdegmnvlr]$  s=S
tch=CH  tion=SH.AH*.N  ture=CH.ER*/$  th=TH  tt=T  t=T
us=AH*.S/$/P  ue=UW/$  ui=UW  ur=ER/C  ur=UH.R  u=UW*/$/P  u=UW/O|E|V|$  u=AH
v=V
wr=R//^$  wh=W  w=W/V  w=
x=Z//^$  x=K.S
y=Y/V/^$|[aeiou]$  y=IY*/$/P  y=AY/$  yr=ER/C  y=IY*/V  y=AY/O/^[^aeiouy]*$  y=IH
zz=Z  z=Z
"""
_ENGLISH = re.compile(r"(?:ley|lie|son|ton|wyn|lyn|bert|rick|fred|mund|ard|er|ing|ish|y|ie)$")
_LONG = frozenset("EY IY AY OW UW AO OY AW ER".split())
_REDUCED = frozenset("AE AA EH AH UH".split())
_VOWELS = _LONG | _REDUCED | {"IH"}
_ALIKE = {"Z": "S", "JH": "G", "DH": "TH", "NG": "N"}  # as the letters s, g, th and n may be either


class _Rule(NamedTuple):
    letters: str
    sounds: tuple[str, ...]
    after: re.Pattern[str]
    before: re.Pattern[str]


@cache
def _rules() -> dict[str, list[_Rule]]:
    """The table by first letter."""
    by_letter: dict[str, list[_Rule]] = {}
    for row in _TABLE.split():
        letters, _, rest = row.partition("=")
        sounds, after, before = [*rest.split("/"), "", ""][:3]
        rule = _Rule(letters, tuple(filter(None, sounds.split("."))), _pattern(after), _pattern(before))
        by_letter.setdefault(letters[0], []).append(rule)
    return by_letter


def _pattern(written: str) -> re.Pattern[str]:
    return re.compile("".join(_CLASSES.get(sign, sign) for sign in written))


def read_letters(word: str) -> tuple[str, ...]:
    """ARPAbet phonemes of a lower-case word (a-z) by its letters; () where no letter of it has a sound."""
    sounds: list[str] = []
    at = 0
    while at < len(word):
        rule = next(rule for rule in _rules()[word[at]] if _fits(rule, word, at))
        sounds += rule.sounds
        at += len(rule.letters)
    once = [sound for at, sound in enumerate(sounds) if at == 0 or sound != sounds[at - 1]]
    return _stressed(once, _beat(word, once))


def _fits(rule: _Rule, word: str, at: int) -> bool:
    end = at + len(rule.letters)
    return (
        word.startswith(rule.letters, at)
        and rule.after.match(word[end:]) is not None
        and rule.before.search(word[:at]) is not None
    )


def _beat(word: str, sounds: list[str]) -> int:
    """Which of the sounds has the beat, -1 if there is no vowel."""
    vowels = [at for at, sound in enumerate(sounds) if sound.rstrip("*!") in _VOWELS]
    if forced := [at for at in vowels if sounds[at].endswith("!")]:
        return forced[0]
    free = [at for at in vowels if not sounds[at].endswith("*")]
    if not free:
        return vowels[0] if vowels else -1
    if len(vowels) <= 2 or _ENGLISH.search(word):
        return free[0]
    last_but_one, before_it = vowels[-2], vowels[-3]
    heavy = sounds[last_but_one] in _LONG or vowels[-1] - last_but_one > 2
    wanted = last_but_one if heavy else before_it
    return wanted if wanted in free else free[-1]


def _stressed(sounds: list[str], beat: int) -> tuple[str, ...]:
    """Sounds with their stress; a short vowel without it is a murmur."""
    stressed: list[str] = []
    for at, sound in enumerate(sounds):
        plain = sound.rstrip("*!")
        if plain not in _VOWELS:
            stressed.append(plain)
        elif at == beat:
            stressed.append(plain + "1")
        else:
            stressed.append(("AH" if plain in _REDUCED and at > 0 else plain) + "0")
    return tuple(stressed)


def agrees(word: str, guess: tuple[str, ...]) -> bool:
    """Whether a guess has the consonants and the syllables that the letters of a word have."""
    return _skeleton(guess) == _skeleton(read_letters(word))


def _skeleton(sounds: tuple[str, ...]) -> list[str]:
    """Consonants in order, with `v` for each vowel: what a reader cannot doubt."""
    found = []
    for sound in sounds:
        plain = sound.rstrip("012")
        plain = "v" if plain in _VOWELS else _ALIKE.get(plain, plain)
        found += [plain, "R"] if sound.startswith("ER") else [plain]
    return [sound for at, sound in enumerate(found) if at == 0 or sound != found[at - 1]]
