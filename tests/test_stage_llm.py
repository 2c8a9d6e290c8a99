"""The mind prefills while the user talks and remembers only what was heard. Its model is a parrot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from epsilon.config.character import Sampling
from epsilon.engines.llm.chat import Frame
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner
from epsilon.engines.llm.sampler import Sampler
from epsilon.messages import Heard, Message, Token, Words
from epsilon.stages.llm import Llm
from epsilon.turn import Mark
from tests.rig import connect, place, results, take_all
from tests.scripted import Reciter, Said

SYSTEM, USER, REPLY, END, SILENT, OTHER = range(6)
FIRST_WORD = 10
GREEDY = Sampling(temperature=0.0, repetition=1.0)


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

    def frame(self, speaker: str) -> Frame:
        return Frame((OTHER,), ()) if speaker == "other" else self.user

    def pieces(self, text: str) -> tuple[int, ...]:
        return ()

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(self.words[token - FIRST_WORD] for token in ids)


class Parrot(Reciter):
    """A model that says a text, whatever it was told; it counts the tokens it had to digest."""

    limit = 200

    def __init__(self, says: str = "Well, hello.") -> None:
        self.chat = Dictionary()
        self.says = says
        self.digested = 0

    def logits(self, seq: Said) -> np.ndarray:
        """Sure of the next word of what it says."""
        scores = np.full(100, -10.0, np.float32)
        scores[self.next(seq)] = 10
        return scores

    def sync_to(self, seq: Said, ids: Sequence[int]) -> int:
        fresh = super().sync_to(seq, ids)
        self.digested += fresh
        return fresh

    def next(self, seq: Said) -> int:
        text = self.chat.encode(self.says.split())
        said = len(seq) - 1 - max(at for at, token in enumerate(seq) if token == REPLY)
        return text[said] if said < len(text) else (END if text else SILENT)

    def step(self, seq: Said, sampler: Sampler) -> int:
        seq.append(sampler.pick(self.logits(seq)))
        return seq[-1]


def mind(parrot: Parrot, sampling: Sampling = GREEDY, openers: Sequence[str] = ()) -> Llm:
    conversation = Conversation(parrot, "be kind")  # type: ignore[arg-type]
    manner = Manner.of(sampling, parrot.chat)  # type: ignore[arg-type]
    clips = {text: np.ones(160, np.float32) for text in openers}
    known = Openers(clips, parrot.chat) if openers else None  # type: ignore[arg-type]
    persona = Said(conversation.ids())
    return Llm(place(), parrot, conversation, manner, persona, known)  # type: ignore[arg-type]


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


def test_what_was_heard_is_digested_before_the_user_speaks_again() -> None:
    stage = mind(Parrot())
    stage.turn.next()
    results(stage, [words("hello", final=True), Heard(Mark(1, 0), "Well,", complete=False)])
    assert stage.sequence.ids == stage.conversation.ids()


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
    stage = mind(Parrot("One two three. Four five six. Seven."), replace(GREEDY, max_words=4))
    assert said(results(stage, [words("count", final=True)])) == "One two three. Four five six."


def test_what_was_not_prefilled_when_the_user_stopped_is_counted() -> None:
    stage = mind(Parrot())
    inbox, _, news = connect(stage)
    mark = stage.turn.next()
    inbox.put(Words(mark, ("tell", "me"), ("about",)))
    inbox.put(Words(mark, ("tell", "me"), ("about", "foxes"), settled=True))
    inbox.put(Words(mark, ("tell", "me", "about", "foxes"), (), final=True))
    stage.step()
    (prefilled,) = (item for item in take_all(news) if item.what == "prefilled")
    assert prefilled.text == "3", "about, foxes, and the start of the reply"


def test_a_recorded_opener_leaves_first_and_the_model_goes_on_behind_it() -> None:
    stage = mind(Parrot("Oh, hello there."), openers=["Well,", "Oh,"])
    first, *rest = results(stage, [words("hello", final=True)])
    assert isinstance(first, Token) and first.text == "Oh," and first.clip is not None
    assert said([first, *rest]) == "Oh, hello there."
    assert all(item.clip is None for item in rest if isinstance(item, Token))


def test_no_opener_sounds_twice_in_a_row() -> None:
    stage = mind(Parrot("Oh, hello there."), openers=["Oh,"])
    clips = []
    for turn in (1, 2, 3):
        first = results(stage, [words("hello", final=True, turn=turn)])[0]
        clips.append(isinstance(first, Token) and first.clip is not None)
        results(stage, [Heard(Mark(turn, 0), "Oh, hello there.", complete=True)])
    assert clips == [True, False, True]


def test_an_opener_that_the_model_would_not_say_is_not_forced() -> None:
    stage = mind(Parrot("Never mind."), openers=["Oh,", "Well,"])
    answer = results(stage, [words("hello", final=True)])
    assert said(answer) == "Never mind."
    assert not any(item.clip is not None for item in answer if isinstance(item, Token))


def test_another_speaker_has_marks_of_its_own() -> None:
    stage = mind(Parrot(says=""))
    results(stage, [replace(words("and now the weather", final=True), speaker="other")])
    assert OTHER in stage.sequence.ids and USER not in stage.sequence.ids
