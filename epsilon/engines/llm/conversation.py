"""What was said, as tokens: the persona, the turns that still fit, and the one being spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from epsilon.engines.llm.chat import Chat
from epsilon.errors import ConfigError

USER = "user"  # who speaks unless somebody else is named
NEXT_TURN_TOKENS = 32  # kept free for what the user says next; who says more pushes older turns out
KEPT_SHARE = 0.75  # of the room, when turns must leave: they leave rarely, because then all is prefilled anew


def finished(chat: Chat, scores: npt.NDArray[np.float32]) -> float:
    """The probability that a thought ends here: that the reply begins next, by scores [vocabulary] behind its words."""
    share = np.exp(scores - scores.max())
    return float(share[chat.reply[0]] / share.sum())


class Exchange(NamedTuple):
    """What somebody said, and what they heard of the reply; None: none, as far as one knows."""

    words: str
    speaker: str = USER
    reply: str | None = None
    complete: bool = True


class Talker(Protocol):
    """What a conversation needs to know of its model: how it is talked to, and how many tokens it holds."""

    @property
    def chat(self) -> Chat: ...

    @property
    def limit(self) -> int: ...


class Conversation:
    """The conversation so far, never more of it than leaves the model room for a reply.

    Oldest turns leave first and whole; the persona stays. Of a turn that would not fit alone the end is kept.
    """

    def __init__(self, model: Talker, persona: str) -> None:
        self.chat = chat = model.chat
        self._persona = [*chat.system.before, *chat.encode(persona.split()), *chat.system.after]
        self._turns: list[list[int]] = []
        self._exchanges: list[Exchange] = []  # the same as text: another model has other tokens
        self._answered = True
        marks = len([*chat.user.before, *chat.user.after, *chat.reply, *chat.end, *chat.silent])
        self._room = model.limit - len(self._persona) - chat.max_reply_tokens - marks
        if self._room < NEXT_TURN_TOKENS:
            excess = NEXT_TURN_TOKENS - self._room
            raise ConfigError(
                f"the persona takes {len(self._persona)} tokens, {excess} too many for the model"
            )

    def add_user(self, text: str, speaker: str = USER) -> None:
        """What somebody said, complete; `speaker` is the user or one of the chat's other speakers."""
        if self._turns:
            self._turns[-1] += self._silence()
        self._turns.append([*self._spoken(text.split(), speaker), *self.chat.frame(speaker).after])
        self._exchanges.append(Exchange(text, speaker))
        self._answered = False

    def take_over(self, exchanges: Sequence[Exchange]) -> None:
        """Go on where another conversation was, of as much as fits."""
        for exchange in exchanges:
            self.add_user(exchange.words, exchange.speaker)
            if exchange.reply is not None:
                self.add_reply(exchange.reply, exchange.complete)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The turns that are remembered, oldest first."""
        return tuple(self._exchanges)

    @property
    def worn(self) -> tuple[int, ...]:
        """The token with which a reply began that was heard twice in a row: there is no third time."""
        said = [exchange for exchange in self._exchanges if exchange.reply][-2:]
        if len(said) < 2 or said[0].reply != said[1].reply:
            return ()
        return tuple(self.chat.encode((said[0].reply or "").split()))[:1]

    def take_back(self) -> None:
        """Forget the last turn, which was not over: it comes again with more words."""
        if self._turns and not self._answered:
            self._turns.pop()
            self._exchanges.pop()
            self._answered = True  # whatever stood before it has been closed

    def add_reply(self, heard: str, complete: bool = True) -> None:
        """What the user heard of the reply to the last turn; one that was interrupted ends in the chat's `cut`."""
        if self._turns:
            said = [*self.chat.encode(heard.split()), *(() if complete else self.chat.cut)]
            self._turns[-1] += [*self.chat.reply, *said, *self.chat.end]
            self._exchanges[-1] = self._exchanges[-1]._replace(reply=heard, complete=complete)
        self._answered = True
        self._make_room(NEXT_TURN_TOKENS)

    def ids(self, partial_user_words: Sequence[str] = (), speaker: str = USER) -> list[int]:
        """The history, and the words of a turn being spoken; further words only add ids."""
        if not partial_user_words:
            return self._history()
        spoken = self._spoken(partial_user_words, speaker)
        return self._history() + self._silence() + spoken

    def prompt(self, partial_user_words: Sequence[str] = (), speaker: str = USER) -> list[int]:
        """The history up to where the reply begins: to what was said, or to a turn that may be over."""
        after = self.chat.frame(speaker).after if partial_user_words else ()
        return [*self.ids(partial_user_words, speaker), *after, *self.chat.reply]

    def _history(self) -> list[int]:
        return self._persona + [token for turn in self._turns for token in turn]

    def _spoken(self, words: Sequence[str], speaker: str) -> list[int]:
        """The turn being spoken; of one that would not fit even alone, its end."""
        ids = self.chat.encode(words)[-self._room :]
        self._make_room(len(ids))
        return [*self.chat.frame(speaker).before, *ids]

    def _silence(self) -> list[int]:
        """What ends a turn of which no answer was heard, as far as one knows: the news of it may still come."""
        return [] if self._answered or not self._turns else [*self.chat.reply, *self.chat.silent]

    def _make_room(self, tokens: int) -> None:
        """Let the oldest turns leave when `tokens` more would not fit."""
        taken = sum(map(len, self._turns))
        if taken + tokens <= self._room:
            return
        while self._turns and taken + tokens > self._room * KEPT_SHARE:
            taken -= len(self._turns.pop(0))
            self._exchanges.pop(0)
