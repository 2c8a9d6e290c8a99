"""Which questions fall: those that a question word opens, unless yes or no is asked for in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsilon.engines.wording import Said, say

_ENDS = (".", "?", "!")
_WORDS = frozenset("who whom whose what when where why how which".split())
_JOINED = ("'s", "'re", "'d", "'ll", "'ve")  # what's, who'd
_TAGS = frozenset("right ok okay yes no huh eh hm hmm".split())
_ASKING = frozenset(
    "am is are was were do does did have has had can could will would shall should may might must".split()
)


def falling(said: Sequence[Said], before: Sequence[Said] = ()) -> list[Said]:
    """The words with a full stop in place of the mark of each question that a question word opens.

    It is among the first two words of a clause: "where …", "and what …". `before` are words of the first sentence that
    have been said already.
    """
    found: list[Said] = []
    begun = list(_clauses(before))
    for sentence in _sentences(said):
        clauses = begun + list(_clauses(sentence))
        asks = sentence[-1].mark == "?" and any(_opens(clause) for clause in clauses)
        if asks and not (len(clauses) > 1 and _wants_yes_or_no(clauses[-1])):
            sentence[-1] = sentence[-1]._replace(mark=".")
        found, begun = found + sentence, []
    return found


def continued(text: str, before: str) -> str:
    """A text with a full stop for its question mark when a question word has opened its sentence in `before`."""
    if not before or "?" not in text:
        return text
    said = say(text)
    falls = falling(said, say(before)) != falling(said)
    return text.replace("?", ".", 1) if falls else text


def _sentences(said: Sequence[Said]) -> Iterator[list[Said]]:
    sentence: list[Said] = []
    for word in said:
        sentence.append(word)
        if word.mark in _ENDS:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _clauses(sentence: Sequence[Said]) -> Iterator[list[str]]:
    clause: list[str] = []
    for word in sentence:
        clause.append(word.word.lower())
        if word.mark:
            yield clause
            clause = []
    if clause:
        yield clause


def _opens(clause: Sequence[str]) -> bool:
    return any(word in _WORDS or _stem(word) in _WORDS for word in clause[:2])


def _stem(word: str) -> str:
    return next((word.removesuffix(end) for end in _JOINED if word.endswith(end)), word)


def _wants_yes_or_no(clause: Sequence[str]) -> bool:
    """The last clause of a question, such as "isn't it", "right", or what follows "when it rains"."""
    return clause[0] in _ASKING or clause[0].endswith("n't") or clause[-1] in _TAGS
