"""Which questions fall: those that a question word opens end like a statement, unless a tag asks once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsilon.engines.wording import Said

_ENDS = (".", "?", "!")
_WORDS = frozenset("who whom whose what when where why how which".split())
_JOINED = ("'s", "'re", "'d", "'ll", "'ve")  # what's, who'd
_TAGS = frozenset("right ok okay yes no huh eh hm hmm".split())
_ASKED_AGAIN = frozenset("i you he she it we they there".split())  # isn't it, do you


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
        if asks and not (len(clauses) > 1 and _is_tag(clauses[-1])):
            sentence[-1] = sentence[-1]._replace(mark=".")
        found, begun = found + sentence, []
    return found


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


def _is_tag(clause: Sequence[str]) -> bool:
    """Such as "isn't it" or "right" at the end of a sentence."""
    return clause[-1] in _TAGS or (len(clause) in (2, 3) and clause[-1] in _ASKED_AGAIN)
