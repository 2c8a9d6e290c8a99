"""Phrases: cuts the reply's text into pieces that can be spoken before the rest is thought."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from epsilon.config.character import MOOD_NAME
from epsilon.engines.wording import is_abbreviation
from epsilon.messages import Message, Phrase, Token
from epsilon.stage import Place, Stage
from epsilon.turn import Mark

FIRST_WORDS = 5  # the first phrase leaves after this many words at the latest
LATER_WORDS = 14  # what a breath holds
THINKING_WORDS = 2  # are thought while one is said: at 13 tokens/s and 150 words/min it is three and more
SHORT_WORDS = 3  # a later clause of fewer words is said with what follows it
# Not `so` and `that`, which are as often no conjunctions.
CONJUNCTIONS = frozenset("and but because or when while if which then until unless although".split())
# Words that are said with the next one: behind these no breath is taken …
LEANING = frozenset(
    "a an the my your our their no every of to in on at by for from with into about like as than and but or because if "
    "i we they he she i'm you're we're they're don't mr mrs ms dr st".split()
)
# … and behind these rather not.
NODDING = frozenset(
    "his her its this that these those some any very so too is are was were be been am has have had do does did will "
    "would can could should must you it which who not it's that's he's she's there's what's here's let's".split()
)
SENTENCE, CLAUSE, NOTHING = "sentence", "clause", ""  # what ends with a word
FOLLOWED = re.compile(r"\s*(\S+)\s+(\S)")
TAG = re.compile(rf"<(/?)({MOOD_NAME})>")
SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*$")
CLAUSE_END = re.compile(r"\w.*[,;:][\"')\]]*$|(?:[…–—]|\.{2,})[\"')\]]*$|^-+$")


class Cut(NamedTuple):
    """A phrase's text, whether its sentence goes on behind it, and its mood."""

    text: str
    more: bool
    mood: str


class Word(NamedTuple):
    """A written word, what ends with it, its mood, and the first sign of the next word ("" behind the last)."""

    text: str
    ends: str
    mood: str
    following: str

    @property
    def leans(self) -> int:
        """How much it wants to be said in one breath with the next word: of the, 3 cats, Henry 8, New York."""
        first = self.text.lstrip("\"'([")[:1]
        if self.text[-1].isdigit() or (
            first.isupper() and (self.following.isdigit() or self.following.isupper())
        ):
            return 2
        word = self.text.lower()
        return 2 if word in LEANING or (word.endswith("'s") and word not in NODDING) else int(word in NODDING)


class Cutter:
    """Where a growing text may be cut: at once while little has been said, then at clauses.

    The first phrase ends at its first comma, before a conjunction, or after five words. A later one is a clause, and
    waits for one word more, so that no sentence ends in a phrase of one word. What has left gives time to think: with
    every word of it the next phrase may have two more, 14 at most. All is decided by whole words and by the first sign
    of the next one: in which pieces the text came does not matter.

    A tag such as <sad> is never spoken. Its mood holds to the end of its sentence or to the next tag, whichever
    comes first; </sad> ends it at once. A tag that is no mood of the character disappears and does nothing.
    """

    def __init__(self, moods: Iterable[str] = ()) -> None:
        self._moods = {mood.casefold(): mood for mood in moods}
        self._mood = ""
        self._rest = ""  # of the text, from the word on of which it is not known what follows it
        self._before = ""  # the word before that one
        self._words: list[Word] = []  # of the phrase to come
        self._sent = 0  # words that have left

    def push(self, piece: str) -> Iterator[Cut]:
        """Add a piece of text; yields the phrases that are complete."""
        self._rest += piece
        while found := FOLLOWED.match(self._rest):
            self._take(found[1], found[2])
            self._rest = self._rest[found.start(2) :]
            yield from self._cuts(over=False)

    def finish(self) -> Iterator[Cut]:
        """What is left when the text has ended."""
        if word := self._rest.strip():
            self._take(word, "")
        self._rest = ""
        yield from self._cuts(over=True)

    def _take(self, written: str, following: str) -> None:
        """One written word, out of which tags are taken: `no.<sad>Oh` is two words and a tag."""
        at = 0
        for tag in TAG.finditer(written):
            self._add(written[at : tag.start()], written[tag.end() : tag.end() + 1] or following)
            at = tag.end()
            if (name := tag[2].casefold()) in self._moods:
                self._mood = "" if tag[1] else self._moods[name]
        self._add(written[at:], following)

    def _add(self, text: str, following: str) -> None:
        if text:
            ends = what_ends(text, self._before, following)
            self._words.append(Word(text, ends, self._mood, following))
            self._before = text
            if ends == SENTENCE:
                self._mood = ""

    def _cuts(self, over: bool) -> Iterator[Cut]:
        while self._words and (count := self._count(over)):
            words, self._words = self._words[:count], self._words[count:]
            self._sent += count
            more = words[-1].ends != SENTENCE and not (over and not self._words)
            yield Cut(" ".join(word.text for word in words), more, words[0].mood)

    def _count(self, over: bool) -> int:
        """How many words make the next phrase; 0 while that is not known."""
        first = self._sent == 0
        most = min(FIRST_WORDS + THINKING_WORDS * self._sent, LATER_WORDS)
        for at, word in enumerate(self._words):
            count = at + 1
            following = self._words[count] if count < len(self._words) else None
            if first and at > 1 and word.text in CONJUNCTIONS and not self._words[at - 1].leans:
                return at
            if word.ends == SENTENCE or (first and word.ends == CLAUSE):
                return count
            if first and count == most:
                return self._breath(count)
            if following is None:
                break
            if following.mood != word.mood:
                return count
            if word.ends == CLAUSE and count >= SHORT_WORDS and following.ends != SENTENCE:
                return count
            if count == most:
                return self._breath(count - (following.ends == SENTENCE))
        return len(self._words) if over else 0

    def _breath(self, most: int) -> int:
        """The best place to cut a clause: before a conjunction of a long one, else where the words lean least."""
        counts, words = range(most, most // 3, -1), self._words
        if words[most - 1].ends == CLAUSE:
            return most
        if self._sent:
            for count in counts:
                if words[count].text in CONJUNCTIONS and not words[count - 1].leans:
                    return count
        return min(counts, key=lambda count: words[count - 1].leans)  # of equals the longest


def what_ends(text: str, before: str, following: str) -> str:
    """SENTENCE, CLAUSE or NOTHING: what ends with a word that stands behind `before`; "" follows the last one."""
    if not following:
        return SENTENCE
    if CLAUSE_END.search(text):
        return CLAUSE
    if not SENTENCE_END.search(text):
        return NOTHING
    if text.rstrip("\"')]").endswith(".") and is_abbreviation(text, before, following):
        return NOTHING
    return CLAUSE if following.islower() else SENTENCE


class Phrases(Stage):
    """Turns tokens into phrases; the last of a reply may be empty and only say that it is the last.

    `moods` are those of the character: what tags in the text may ask for.
    """

    def __init__(self, place: Place, moods: Iterable[str] = ()) -> None:
        super().__init__(place)
        self.moods = tuple(moods)
        self.mark: Mark | None = None
        self.cutter = Cutter(self.moods)
        self.index = 0
        self.told = False  # whoever watches knows that the first phrase has left

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Token)
        if item.mark != self.mark:
            self.mark, self.cutter, self.index, self.told = item.mark, Cutter(self.moods), 0, False
        if item.clip is not None:
            more = what_ends(item.text, "", " ") == CLAUSE
            yield Phrase(item.mark, 0, item.text, last=False, more=more, clip=item.clip)
            self.index = 1
            return
        for cut in self.cutter.push(item.text):
            yield self._phrase(item.mark, cut, last=False)
        if item.last:
            *others, final = [*self.cutter.finish()] or [Cut("", False, "")]
            for cut in others:
                yield self._phrase(item.mark, cut, last=False)
            yield self._phrase(item.mark, final, last=True)

    def _phrase(self, mark: Mark, cut: Cut, last: bool) -> Phrase:
        if not self.told:
            self.told = True
            self.tell("phrase", mark, cut.text)
        self.index += 1
        return Phrase(mark, self.index - 1, cut.text, last, cut.more, cut.mood)
