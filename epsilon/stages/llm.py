"""Llm: words to the tokens of an answer; prefills while the user talks, and thinks ahead while the user pauses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile, zip_longest
from typing import Any

from epsilon.engines.llm.conversation import Conversation, finished
from epsilon.engines.llm.fillers import Fillers
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner, Reply
from epsilon.engines.protocols import LanguageModel
from epsilon.messages import Heard, Message, Remark, Token, Understood, Words
from epsilon.ring import Ring
from epsilon.stage import Place, Stage
from epsilon.turn import Mark

AHEAD_TOKENS = 24  # thought of an answer that may never be wanted


class Answer:
    """An answer in the making: to which words, its tokens to come, and how many there were."""

    def __init__(self, mark: Mark, words: tuple[str, ...], tokens: Iterator[Token]) -> None:
        self.mark, self.words, self.tokens = mark, words, tokens
        self.count = 0
        self.over = False

    @property
    def silent(self) -> bool:
        """True when it turned out that there is nothing to say."""
        return self.over and self.count == 0


class Llm(Stage):
    """Keeps the conversation, of which the model's KV cache is a copy that `sync_to` brings up to date.

    `persona` is a sequence that holds the character's prefix; the conversation goes on in a fork of it. An answer
    is begun when the user pauses. If the user goes on it is stale, and the cache is rolled back; if not, nothing is
    left to do at the end of the turn but to remember what was asked.
    """

    def __init__(
        self,
        place: Place,
        model: LanguageModel,
        conversation: Conversation,
        manner: Manner,
        persona: Any,
        openers: Openers | None = None,
        fillers: Fillers | None = None,
        tries: int = 0,
    ) -> None:
        super().__init__(place)
        self.model, self.conversation = model, conversation
        self.manner = self.usual_manner = manner
        self.openers, self.fillers, self.tries = openers, fillers, tries
        self.sequence = model.fork(persona)
        self.understood: Ring[Message] | None = None  # to whoever decides about the turn
        self.answer: Answer | None = None
        self.asked = Mark(-1, 0)  # whose words are the last in the conversation
        self.tried_turn, self.tried = -1, 0  # answers begun in this turn
        self.owed = 0  # tokens prefilled since the last words that came while the user was speaking
        self.turn.watch(self.bell)

    def be_brief(self, share: float) -> None:
        """Answers of so much of their usual length at most, from the next one on. Any thread may ask for it."""
        self.manner = self.usual_manner.shortened(share) if share < 1 else self.usual_manner

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Heard):
            self._remember(item)
        elif isinstance(item, Words):
            self._understand(item)
        elif isinstance(item, Remark):
            self._remark(item)
        yield from ()

    def tick(self) -> bool:
        token = self.think()
        if token is not None:
            self.emit(token)
        return token is not None

    def think(self) -> Token | None:
        """The next token of the answer; None when there is none to be thought now."""
        answer = self.answer
        if answer is None or answer.over or self._stale(answer):
            return None
        if answer.count >= AHEAD_TOKENS and not self.turn.is_committed(answer.mark):
            return None
        token = next(answer.tokens, None)
        if token is None:
            answer.over = True
            self._settle(answer)
            return None if answer.silent else Token(answer.mark, "", last=True)
        answer.count += 1
        self.tell("token", answer.mark, token.text)
        return token

    def _stale(self, answer: Answer) -> bool:
        """Forget an answer that nobody wants any more."""
        if not self.turn.is_stale(answer.mark):
            return False
        self._discard(answer)
        return True

    def _discard(self, answer: Answer) -> None:
        if answer.count and not self.turn.is_committed(answer.mark):
            self.tell("discarded", answer.mark, f"tokens={answer.count}")
        self.answer = None

    def _remember(self, heard: Heard) -> None:
        """Only what was heard was said; it is digested now, while nobody waits, unless the user speaks already."""
        if self.answer is not None and self.answer.mark == heard.mark:
            self.answer = None  # it is over, thought out or not
        if heard.text and heard.mark == self.asked:
            self.conversation.add_reply(heard.text, heard.complete)
            if not self.turn.is_stale(heard.mark):
                self.model.sync_to(self.sequence, self.conversation.ids())

    def _understand(self, words: Words) -> None:
        if words.mark > self.turn.now:
            self._report(words)  # the turn may never begin: somebody made a sound while the toy speaks
        elif words.final:
            self._ask(words)
        elif not self.turn.is_stale(words.mark):
            self._listen(words)

    def _report(self, words: Words, probability: float | None = None, **facts: bool) -> None:
        if self.understood is not None:
            self.understood.put(Understood(words.mark, words.all, probability, **facts))

    def _listen(self, words: Words) -> None:
        """Digest words that are certain, and in a pause all of them: they may be the last."""
        if self.answer is not None and self.answer.mark == words.mark:
            return  # it is being answered; should these be other words, the final ones will tell
        self._take_back(words.mark)
        sure = words.all if words.settled else words.committed
        if sure:
            self.owed += self.model.sync_to(self.sequence, self.conversation.ids(sure, words.speaker))
        if not words.settled:
            self.owed = 0  # the user was still speaking
            return
        chat = self.conversation.chat
        self._report(words, finished(chat, self.model.logits(self.sequence)) if sure else None)
        if sure and self._may_try(words.mark):
            self._begin(words, self.conversation.prompt(sure, words.speaker))

    def _take_back(self, mark: Mark) -> None:
        """What was asked was not all: the turn goes on."""
        if mark.turn == self.asked.turn:
            self.conversation.take_back()
            self.asked = Mark(-1, 0)

    def _may_try(self, mark: Mark) -> bool:
        if mark.turn != self.tried_turn:
            self.tried_turn, self.tried = mark.turn, 0
        self.tried += 1
        return self.tried <= self.tries

    def _ask(self, words: Words) -> None:
        """The turn is over: its words are asked, and the answer is that to them."""
        if self.turn.is_stale(words.mark) and words.mark.turn == self.turn.now.turn:
            return  # the user goes on: the words will come again, with more of them
        answer = self.answer
        if answer is not None and answer.mark == words.mark and answer.words != words.all:
            self._discard(answer)
            self._report(words, changed=True)
            return
        self._report(words, settles=not words.all)
        if not words.all:
            return
        self._take_back(words.mark)
        self.asked = words.mark
        self.conversation.add_user(" ".join(words.all), words.speaker)
        if self.turn.is_stale(words.mark):
            return  # it was not answered in time
        if answer is None or answer.mark != words.mark:
            self._begin(words, self.conversation.prompt())
        elif answer.silent:
            self._settle(answer)

    def _remark(self, remark: Remark) -> None:
        """Say something by itself: an answer to nobody's words."""
        self.asked = remark.mark
        self.conversation.add_user("")
        self.answer = Answer(remark.mark, (), iter([Token(remark.mark, remark.text, clip=remark.clip)]))

    def _begin(self, words: Words, prompt: list[int]) -> None:
        """Start to think; the tokens come by `think`, one at a time."""
        if self.answer is not None:
            self._discard(self.answer)
        self.answer = Answer(words.mark, words.all, self._tokens(words.mark, prompt))

    def _settle(self, answer: Answer) -> None:
        """Say that there will be no answer, once that was asked for."""
        if answer.silent and answer.mark == self.asked:
            self.tell("silent", answer.mark)
            if self.understood is not None:
                self.understood.put(Understood(answer.mark, answer.words, settles=True))

    def _tokens(self, mark: Mark, prompt: list[int]) -> Iterator[Token]:
        """The reply in pieces, none when the character has nothing to say; one that will be late begins with a filler.

        An opener or a filler is sound already, and the reply goes on behind it.
        """
        filler = self._filler(mark, prompt)
        if filler is not None:
            yield filler
        self.owed += self.model.sync_to(self.sequence, prompt)
        self.tell("prefilled", mark, str(self.owed))
        self.owed = 0
        chosen = self.openers.choose(self.model, self.sequence) if self.openers and not filler else None
        seed = (self.manner.sampling.seed, mark.turn)
        if chosen is None:
            worn = self.conversation.worn
            reply = Reply(self.model, self.sequence, self.manner, seed, worn=worn)
        else:
            opener, self.sequence = chosen
            reply = Reply(self.model, self.sequence, self.manner, seed, opener.ids)
            yield Token(mark, opener.text, clip=opener.samples)
        for piece in reply.pieces():
            yield Token(mark, piece)

    def _filler(self, mark: Mark, prompt: list[int]) -> Token | None:
        """What fills the time when somebody waits already and will have to wait for long."""
        if self.fillers is None or not self.turn.is_committed(mark):
            return None
        owed = sum(
            1 for _ in dropwhile(lambda pair: pair[0] == pair[1], zip_longest(prompt, self.sequence.ids))
        )
        chosen = self.fillers.choose(owed)
        return Token(mark, chosen[0], clip=chosen[1]) if chosen else None
