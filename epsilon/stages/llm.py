"""Llm: words to the tokens of an answer; prefills while the user still talks."""

from __future__ import annotations

from collections.abc import Iterator

from epsilon.config.character import Sampling
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.sampler import Sampler
from epsilon.engines.protocols import LanguageModel
from epsilon.messages import Heard, Message, Token, Words
from epsilon.stage import Place, Stage
from epsilon.turn import Mark


class Llm(Stage):
    """Keeps the conversation, of which the model's KV cache is a copy that `sync_to` brings up to date."""

    def __init__(
        self, place: Place, model: LanguageModel, conversation: Conversation, sampling: Sampling
    ) -> None:
        super().__init__(place)
        self.model, self.conversation, self.sampling = model, conversation, sampling
        self.sequence = model.start()
        self.model.sync_to(self.sequence, conversation.ids())  # the persona, while nobody waits for it
        self.answered_turn = 0

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Heard):
            self._remember(item)
        elif isinstance(item, Words) and item.final:
            yield from self._answer(item)
        elif isinstance(item, Words):
            self._prefill(item)

    def _remember(self, heard: Heard) -> None:
        """Only what was heard was said."""
        if heard.text and heard.mark.turn == self.answered_turn:
            self.conversation.add_reply(heard.text)

    def _prefill(self, words: Words) -> None:
        sure = words.all if words.settled else words.committed
        if sure and not self.turn.is_stale(words.mark):
            self.model.sync_to(self.sequence, self.conversation.ids(sure))

    def _answer(self, words: Words) -> Iterator[Message]:
        if not words.all:
            return
        self.conversation.add_user(" ".join(words.all))
        self.answered_turn = words.mark.turn
        self.model.sync_to(self.sequence, self.conversation.prompt())
        self.tell("prefilled", words.mark)
        silent = True
        for piece in self._think(words.mark):
            silent = False
            self.tell("token", words.mark, piece)
            yield Token(words.mark, piece)
        if silent:
            self.tell("silent", words.mark)
        else:
            yield Token(words.mark, "", last=True)

    def _think(self, mark: Mark) -> Iterator[str]:
        """The reply's text in pieces, none when the character has nothing to say."""
        chat = self.conversation.chat
        sampler = Sampler(self.sampling, seed=(self.sampling.seed, mark.turn))
        ids: list[int] = []
        said = ""
        while (token := self.model.step(self.sequence, sampler)) not in chat.ends:
            ids.append(token)
            text = chat.decode(ids)
            yield text[len(said) :]
            said = text
            if len(said.split()) > self.sampling.max_words and said.endswith((".", "!", "?")):
                return
            if len(ids) >= chat.max_reply_tokens:
                return
