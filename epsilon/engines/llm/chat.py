"""How a language model is talked to: its marks, and words to tokens that further words never change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from epsilon.engines.facts import Facts, load_tokenizer
from epsilon.errors import ModelError

MARK = re.compile(r"<[^<>]+>")
DEFAULT_MAX_REPLY_TOKENS = 60


class Frame(NamedTuple):
    """The marks before and after a text."""

    before: tuple[int, ...]
    after: tuple[int, ...]


class Chat:
    """The marks of a conversation, from chat.yaml, and the tokenizer.

    `system` and `user` stand around the persona and what the user says. `reply` opens the toy's words, `end`
    closes them, `cut` stands before it in a reply that was interrupted, `silent` stands for saying nothing. `ends`
    are all tokens after which a reply is over.
    `speakers` are the frames of whoever else may speak: `other` for somebody who does not talk to the toy, `peer`
    for the other character of a cast. A model that knows no such marks hears them all as its user.
    """

    def __init__(self, folder: Path) -> None:
        facts = Facts(folder / "chat.yaml")
        self._tokenizer = load_tokenizer(folder / "tokenizer.json")
        self._path = facts.path
        self.system, self.user = self._frame(facts.text("system")), self._frame(facts.text("user"))
        self.speakers = {name: self._frame(text) for name, text in facts.pairs("speakers").items()}
        self.reply, self.end = self._marks(facts.text("reply")), self._marks(facts.text("end"))
        self.silent = self._marks(facts.text("silent"))
        cut = facts.text("cut", "")
        self.cut = self.pieces(cut) if cut else ()
        stops = [self._marks(text) for text in facts.texts("stop")]
        self.ends = frozenset(token for marks in (self.end, self.silent, *stops) for token in marks)
        self.max_reply_tokens = int(facts.number("max_reply_tokens", DEFAULT_MAX_REPLY_TOKENS))

    def frame(self, speaker: str) -> Frame:
        """The marks around what a speaker says; an unknown one is taken for the user."""
        return self.speakers.get(speaker, self.user)

    def encode(self, words: Iterable[str]) -> list[int]:
        """The ids of words one after another: a further word never changes the ids before it."""
        return [token for word in words for token in self.encode_word(word)]

    def encode_word(self, word: str) -> list[int]:
        """The ids of a word with the space before it."""
        return list(self._tokenizer.encode(f" {word}", add_special_tokens=False).ids)

    def pieces(self, text: str) -> tuple[int, ...]:
        """The tokens that make up a mark, a sign or a word; none when the vocabulary lacks the mark or sign."""
        if MARK.fullmatch(text) or not any(letter.isalnum() for letter in text):
            whole = self._tokenizer.token_to_id(text)
            return () if whole is None else (int(whole),)
        return tuple(self.encode_word(text))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without marks and without a space at its start."""
        return str(self._tokenizer.decode(list(ids))).lstrip()

    def _frame(self, text: str) -> Frame:
        """Marks around a place in braces: `<user>{text}<end>`; a text without braces stands before."""
        before, _, rest = text.partition("{")
        return Frame(self._marks(before), self._marks(rest.partition("}")[2]))

    def _marks(self, text: str) -> tuple[int, ...]:
        names = MARK.findall(text)
        if "".join(names) != text:
            raise ModelError(f"'{text}' should be marks such as <end>", where=str(self._path))
        return tuple(self._mark(name) for name in names)

    def _mark(self, name: str) -> int:
        token = self._tokenizer.token_to_id(name)
        if token is None:
            raise ModelError(f"the tokenizer has no token '{name}'", where=str(self._path))
        return int(token)
