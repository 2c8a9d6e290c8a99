"""The mind prefills while the user talks and remembers only what was heard. Its model is a parrot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from epsilon.config.character import Sampling
from epsilon.engines.llm.chat import Frame
from epsilon.engines.llm.conversation import Conversation
from epsilon.messages import Heard, Message, Token, Words
from epsilon.stages.llm import Llm
from epsilon.turn import Mark
from tests.rig import connect, place, results, take_all

SYSTEM, USER, REPLY, END, SILENT = range(5)
FIRST_WORD = 10


class Dictionary:
    """A chat whose tokens are whole words."""

    system, user = Frame((SYSTEM,), ()), Frame((USER,), ())
    reply, end, silent = (REPLY,), (END,), (SILENT, END)
    ends = frozenset({END, SILENT})
    max_reply_tokens = 20

    def __init__(self) -> None:
        self.words: list[str] = []

    def encode(self, words: Iterable[str]) -> list[int]:
        return [self.id_of(word) for word in words]

    def id_of(self, word: str) -> int:
        if word not in self.words:
            self.words.append(word)
        return FIRST_WORD + self.words.index(word)

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(self.words[token - FIRST_WORD] for token in ids)


class Parrot:
    """A model that says a text, whatever it was told; it counts the tokens it had to digest."""

    limit = 200

    def __init__(self, says: str = "Well, hello.") -> None:
        self.chat = Dictionary()
        self.says = says
        self.digested = 0

    def start(self) -> list[int]:
        return []

    def sync_to(self, seq: list[int], ids: Sequence[int]) -> None:
        kept = next(
            (at for at, (a, b) in enumerate(zip(seq, ids, strict=False)) if a != b), min(len(seq), len(ids))
        )
        self.digested += len(ids) - kept
        seq[:] = ids

    def step(self, seq: list[int], sampler: object) -> int:
        text = self.chat.encode(self.says.split())
        said = len(seq) - 1 - max(at for at, token in enumerate(seq) if token == REPLY)
        token = text[said] if said < len(text) else (END if text else SILENT)
        seq.append(token)
        return token


def mind(parrot: Parrot) -> Llm:
    return Llm(place(), parrot, Conversation(parrot, "be kind"), Sampling())  # type: ignore[arg-type]


def words(text: str, final: bool = False, turn: int = 1) -> Words:
    return Words(Mark(turn, 0), tuple(text.split()), (), final=final)


def said(messages: list[Message]) -> str:
    return "".join(item.text for item in messages if isinstance(item, Token))


def test_committed_words_are_digested_while_the_user_talks() -> None:
    parrot = Parrot()
    stage = mind(parrot)
    stage.turn.next()
    results(stage, [words("tell me"), words("tell me about the old red fox")])
    before = parrot.digested
    answer = results(stage, [words("tell me about the old red fox please", final=True)])
    assert said(answer) == "Well, hello."
    assert parrot.digested - before == 2, "what was left: please, and the start of the reply"


def test_the_tail_is_digested_too_once_the_user_pauses() -> None:
    parrot = Parrot()
    stage = mind(parrot)
    mark = stage.turn.next()
    results(stage, [Words(mark, ("good",), ("morning",), settled=True)])
    before = parrot.digested
    results(stage, [Words(mark, ("good", "morning"), (), final=True)])
    assert parrot.digested - before == 1


def test_the_reply_ends_with_a_last_token() -> None:
    answer = results(mind(Parrot()), [words("hello", final=True)])
    assert [item.last for item in answer if isinstance(item, Token)] == [False, False, True]


def test_only_what_was_heard_was_said() -> None:
    stage = mind(Parrot("Well, there was a fox."))
    results(stage, [words("tell me a story", final=True), Heard(Mark(1, 0), "Well, there", complete=False)])
    stage.conversation.add_user("stop")
    history = stage.conversation.chat.decode([t for t in stage.conversation.ids() if t >= FIRST_WORD])
    assert history == "be kind tell me a story Well, there stop"


def test_what_an_older_turn_said_is_not_put_behind_a_newer_question() -> None:
    stage = mind(Parrot())
    results(stage, [words("hello", final=True), words("and you", final=True, turn=2)])
    before = stage.conversation.ids()
    results(stage, [Heard(Mark(1, 0), "Well,", complete=False)])
    assert stage.conversation.ids() == before


def test_no_words_no_answer() -> None:
    parrot = Parrot()
    assert results(mind(parrot), [words("", final=True)]) == []


def test_silence_is_an_answer() -> None:
    stage = mind(Parrot(says=""))
    inbox, outbox, news = connect(stage)
    inbox.put(words("hm", final=True))
    stage.step()
    assert take_all(outbox) == []
    assert [item.what for item in take_all(news)] == ["prefilled", "silent"]


def test_a_reply_that_goes_on_too_long_ends_with_its_sentence() -> None:
    stage = mind(Parrot("One two three. Four five six. Seven."))
    stage.sampling = Sampling(max_words=4)
    assert said(results(stage, [words("count", final=True)])) == "One two three. Four five six."
