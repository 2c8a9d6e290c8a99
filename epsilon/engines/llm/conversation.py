"""What was said, as tokens: the persona, the turns that still fit, and the one being spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from epsilon.engines.llm.chat import Chat
from epsilon.errors import ConfigError

KEPT_SHARE = (
    0.5  # of the room for turns, when some must leave: they leave rarely, because then all is prefilled anew
)
USER_SHARE = 0.25  # of the limit, for what the user says in one turn


class Talker(Protocol):
    """What a conversation needs to know of its model: how it is talked to, and how many tokens it holds."""

    @property
    def chat(self) -> Chat: ...

    @property
    def limit(self) -> int: ...


class Conversation:
    """The conversation so far, never more of it than leaves the model room for a reply.

    Oldest turns leave first and whole; the persona stays. Of a turn longer than its share the end is kept.
    """

    def __init__(self, model: Talker, persona: str) -> None:
        self.chat = chat = model.chat
        self._persona = [*chat.system.before, *chat.encode(persona.split()), *chat.system.after]
        self._turns: list[list[int]] = []
        self._answered = True
        self._user_tokens = int(model.limit * USER_SHARE)
        marks = len([*chat.user.before, *chat.user.after, *chat.reply, *chat.end, *chat.silent])
        self._room = model.limit - len(self._persona) - self._user_tokens - chat.max_reply_tokens - marks
        if self._room < 0:
            raise ConfigError(
                f"the persona takes {len(self._persona)} tokens, {-self._room} too many for the model"
            )

    def add_user(self, text: str) -> None:
        """The user's words are complete."""
        self._settle()
        self._turns.append([*self._spoken(text.split()), *self.chat.user.after])
        self._answered = False

    def add_reply(self, heard: str) -> None:
        """What the user heard of the reply to the last turn."""
        self._turns[-1] += [*self.chat.reply, *self.chat.encode(heard.split()), *self.chat.end]
        self._answered = True
        self._make_room()

    def ids(self, partial_user_words: Sequence[str] = ()) -> list[int]:
        """The history, and the words of a turn being spoken; further words only add ids."""
        history = self._persona + [token for turn in self._turns for token in turn]
        if not partial_user_words:
            return history
        silence = [] if self._answered else [*self.chat.reply, *self.chat.silent]
        return history + silence + self._spoken(partial_user_words)

    def prompt(self) -> list[int]:
        """The history up to where the reply begins."""
        return [*self.ids(), *self.chat.reply]

    def _spoken(self, words: Sequence[str]) -> list[int]:
        return [*self.chat.user.before, *self.chat.encode(words)[-self._user_tokens :]]

    def _settle(self) -> None:
        """A turn of which no answer was heard was answered with silence."""
        if not self._answered:
            self._turns[-1] += [*self.chat.reply, *self.chat.silent]
            self._make_room()

    def _make_room(self) -> None:
        """At a turn's end, so that what is left is prefilled before the user has said much."""
        taken = sum(map(len, self._turns))
        if taken <= self._room:
            return
        while self._turns and taken > self._room * KEPT_SHARE:
            taken -= len(self._turns.pop(0))
