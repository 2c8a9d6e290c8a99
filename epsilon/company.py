"""Whom the toy is with: is it spoken to, has somebody said goodbye, has it been quiet for too long?

Pure counting; all positions are frames of the microphone at 16 kHz.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

from epsilon.config.character import Idle
from epsilon.frames import WINDOW_FRAMES
from epsilon.ring import Samples

RATE_HZ = 16_000
CLOSE_FRAMES = 12 * RATE_HZ  # after an exchange nobody has to say the toy's name again
STORY_FRAMES = 6 * RATE_HZ  # a listener who has said nothing for so long makes a small noise
# What listeners say without wanting the floor, as ears write it.
ASSENT = frozenset(
    "mm hm hmm mhm mmhm mum mom hum uh huh uhhuh um er ah oh yeah yes yep okay ok right ha haha".split()
)
FAREWELLS = frozenset("goodbye bye farewell".split())
PARTINGS = frozenset((("good", "bye"), ("good", "night")))
AGAIN = frozenset("later soon tomorrow again".split())  # see you …
NOT_PARTING = frozenset("why what who how when say said song story".split())  # one speaks about a farewell
MOST_PARTING_WORDS = 6
BELIEVED_FRAMES = 6 * WINDOW_FRAMES  # of voice, before a word in it is more than a guess


def names(words: Sequence[str], name: str) -> bool:
    """True when somebody says the toy's name, or what ears make of it: one letter more, less or other."""
    wanted = name.lower()
    spoken = [*words, *(a + b for a, b in pairwise(words))]
    return any(word == wanted or (len(wanted) > 4 and _nearly(word, wanted)) for word in spoken)


def assents(words: Sequence[str]) -> bool:
    """True when words are only what a listener says."""
    return ASSENT.issuperset(words)


def insists(words: Sequence[str], voiced_frames: int, enough_frames: int) -> bool:
    """True when what sounds over the toy's voice is to end its reply: words, or `enough_frames` of any voice."""
    if words and assents(words):
        return voiced_frames >= 2 * enough_frames
    return voiced_frames >= (min(BELIEVED_FRAMES, enough_frames) if words else enough_frames)


def parts(words: Sequence[str]) -> bool:
    """True when the words are a goodbye."""
    if not words or len(words) > MOST_PARTING_WORDS or NOT_PARTING & set(words):
        return False
    meet = ("see", "you") in pairwise(words) and bool(AGAIN & set(words))
    return meet or bool(FAREWELLS & set(words)) or not PARTINGS.isdisjoint(pairwise(words))


class Company:
    """Remembers the last exchange, and when the toy last began by itself.

    `by_name`: only what has the toy's name in it is for the toy, unless they have just been talking.
    """

    def __init__(
        self, name: str, by_name: bool, idle: Idle, murmurs: Mapping[str, Samples] | None = None
    ) -> None:
        self._name, self.by_name, self._idle = name, by_name, idle
        self._spoke_at: int | None = None  # the end of the last exchange
        self._quiet_from = self._remarked_at = 0
        self._remarks = 0  # since somebody last spoke
        self._parted = False
        self._last = ""
        self._murmurs = list((murmurs or {}).items())
        self._murmured_at = 0
        self._rng = random.Random(0)  # the same recording, the same remarks

    def is_meant(self, words: Sequence[str], now_at: int) -> bool:
        """True when words are for the toy."""
        close = self._spoke_at is not None and now_at - self._spoke_at < CLOSE_FRAMES
        return not self.by_name or close or names(words, self._name)

    def exchange(self, now_at: int) -> None:
        """Somebody has said something to the toy; which words, it may not know yet."""
        self._spoke_at, self._remarks, self._parted = now_at, 0, False

    def understand(self, words: Sequence[str]) -> None:
        """The words of the last exchange."""
        self._parted = parts(words)

    def stir(self, now_at: int) -> None:
        """It is not quiet: somebody speaks, or the toy does."""
        self._quiet_from = now_at
        if self._spoke_at is not None and now_at - self._spoke_at < CLOSE_FRAMES:
            self._spoke_at = now_at

    def murmur(self, begun_at: int, now_at: int) -> tuple[str, Samples] | None:
        """A small noise in a pause of a story that began at `begun_at`; None where one would be too soon."""
        if not self._murmurs or now_at - max(begun_at, self._murmured_at) < STORY_FRAMES:
            return None
        self._murmured_at = now_at
        self._murmurs.append(self._murmurs.pop(0))  # never the same twice in a row, where there are two
        return self._murmurs[-1]

    def remark(self, now_at: int) -> str | None:
        """What the toy says by itself now; None while it keeps quiet."""
        idle = self._idle
        if not idle.lines or self._parted or self._remarks >= idle.most:
            return None
        since_ms = idle.cooldown_ms if self._remarks else 0.0
        if _ms(now_at - self._quiet_from) < idle.after_ms or _ms(now_at - self._remarked_at) < since_ms:
            return None
        self._remarks, self._remarked_at = self._remarks + 1, now_at
        self._quiet_from = self._spoke_at = now_at  # who answers a remark need not say the toy's name
        self._last = self._rng.choice([line for line in idle.lines if line != self._last] or list(idle.lines))
        return self._last


def _nearly(word: str, wanted: str) -> bool:
    """One letter more, less or other (an edit distance of at most 1)."""
    if abs(len(word) - len(wanted)) > 1:
        return False
    shorter, longer = sorted((word, wanted), key=len)
    at = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    rest = shorter[at + 1 :] if len(shorter) == len(longer) else shorter[at:]
    return rest == longer[at + 1 :]


def _ms(frames: int) -> float:
    return frames * 1000 / RATE_HZ
