"""Llm: words to the tokens of an answer; prefills while the user still talks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner, Reply
from epsilon.engines.protocols import LanguageModel
from epsilon.messages import Heard, Message, Token, Words
from epsilon.stage import Place, Stage
from epsilon.turn import Mark


class Llm(Stage):
    """Keeps the conversation, of which the model's KV cache is a copy that `sync_to` brings up to date.

    `persona` is a sequence that holds the character's prefix; the conversation goes on in a fork of it.
    """

    def __init__(
        self,
        place: Place,
        model: LanguageModel,
        conversation: Conversation,
        manner: Manner,
        persona: Any,
        openers: Openers | None = None,
    ) -> None:
        super().__init__(place)
        self.model, self.conversation = model, conversation
        self.manner, self.openers = manner, openers
        self.sequence = model.fork(persona)
        self.answered_turn = 0
        self.owed = 0  # tokens prefilled since the last words that came while the user was speaking

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Heard):
            self._remember(item)
        elif isinstance(item, Words) and item.final:
            yield from self._answer(item)
        elif isinstance(item, Words):
            self._prefill(item)

    def _remember(self, heard: Heard) -> None:
        """Only what was heard was said; it is digested now, while nobody waits, unless the user speaks already."""
        if heard.text and heard.mark.turn == self.answered_turn:
            self.conversation.add_reply(heard.text)
            if not self.turn.is_stale(heard.mark):
                self.model.sync_to(self.sequence, self.conversation.ids())

    def _prefill(self, words: Words) -> None:
        sure = words.all if words.settled else words.committed
        if sure and not self.turn.is_stale(words.mark):
            self.owed += self.model.sync_to(self.sequence, self.conversation.ids(sure, words.speaker))
        if not words.settled:
            self.owed = 0  # the user was still speaking

    def _answer(self, words: Words) -> Iterator[Message]:
        if not words.all:
            return
        self.conversation.add_user(" ".join(words.all), words.speaker)
        self.answered_turn = words.mark.turn
        self.owed += self.model.sync_to(self.sequence, self.conversation.prompt())
        self.tell("prefilled", words.mark, str(self.owed))
        self.owed = 0
        silent = True
        for token in self._think(words.mark):
            silent = False
            self.tell("token", words.mark, token.text)
            yield token
        if silent:
            self.tell("silent", words.mark)
        else:
            yield Token(words.mark, "", last=True)

    def _think(self, mark: Mark) -> Iterator[Token]:
        """The reply in pieces, none when the character has nothing to say."""
        chosen = self.openers.choose(self.model, self.sequence) if self.openers else None
        seed = (self.manner.sampling.seed, mark.turn)
        if chosen is None:
            reply = Reply(self.model, self.sequence, self.manner, seed)
        else:
            opener, self.sequence = chosen
            reply = Reply(self.model, self.sequence, self.manner, seed, opener.ids)
            yield Token(mark, opener.text, clip=opener.samples)
        for piece in reply.pieces():
            yield Token(mark, piece)
