"""The mind prefills while the user talks and remembers only what was heard. Its model is a parrot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from epsilon.config.character import Sampling
from epsilon.engines.llm.chat import Frame
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.fillers import Fillers, Speeds
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner
from epsilon.engines.llm.sampler import Sampler
from epsilon.messages import Heard, Message, Remark, Token, Understood, Words
from epsilon.ring import Bell, Ring
from epsilon.stages.llm import Llm
from epsilon.turn import Mark
from tests.rig import connect, place, results, take_all
from tests.scripted import Reciter, Said

SYSTEM, USER, REPLY, END, SILENT, OTHER, CUT = range(7)
FIRST_WORD = 10
FIRST = Mark(1, 0)
TRIES = 2
GREEDY = Sampling(temperature=0.0, repetition=1.0)


class Dictionary:
    """A chat whose tokens are whole words."""

    system, user = Frame((SYSTEM,), ()), Frame((USER,), ())
    reply, end, silent, cut = (REPLY,), (END,), (SILENT, END), (CUT,)
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
    """A model that says a text, whatever it was told; it counts the tokens it had to digest.

    Behind `and` it is sure that more words follow, behind any other that none do.
    """

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
        if REPLY not in seq[max(at for at, token in enumerate(seq) if token in (SYSTEM, USER, OTHER)) :]:
            return FIRST_WORD if seq[-1:] == self.chat.encode(["and"]) else REPLY
        text = self.chat.encode(self.says.split())
        said = len(seq) - 1 - max(at for at, token in enumerate(seq) if token == REPLY)
        return text[said] if said < len(text) else (END if text else SILENT)

    def step(self, seq: Said, sampler: Sampler) -> int:
        seq.append(sampler.pick(self.logits(seq)))
        return seq[-1]


def mind(
    parrot: Parrot,
    sampling: Sampling = GREEDY,
    openers: Sequence[str] = (),
    fillers: Fillers | None = None,
) -> Llm:
    conversation = Conversation(parrot, "be kind")  # type: ignore[arg-type]
    manner = Manner.of(sampling, parrot.chat)  # type: ignore[arg-type]
    clips = {text: np.ones(160, np.float32) for text in openers}
    known = Openers(clips, parrot.chat) if openers else None  # type: ignore[arg-type]
    persona = Said(conversation.ids())
    stage = Llm(place(), parrot, conversation, manner, persona, known, fillers, TRIES)  # type: ignore[arg-type]
    stage.understood = Ring(64, Bell())
    stage.turn.next()
    return stage


def the_toys(stage: Llm) -> Llm:
    """The turn has been handed over."""
    stage.turn.commit()
    return stage


def told(stage: Llm) -> list[Understood]:
    """What the stage has told about the words."""
    assert stage.understood is not None
    return [item for item in take_all(stage.understood) if isinstance(item, Understood)]


def words(text: str, final: bool = False, mark: Mark = FIRST, settled: bool = False) -> Words:
    return Words(mark, tuple(text.split()), (), settled=settled, final=final)


def said(messages: list[Message]) -> str:
    return "".join(item.text for item in messages if isinstance(item, Token))


def history(stage: Llm) -> str:
    return stage.conversation.chat.decode([t for t in stage.conversation.ids() if t >= FIRST_WORD])


def test_committed_words_are_digested_while_the_user_talks() -> None:
    parrot = Parrot()
    stage = mind(parrot)
    results(stage, [words("tell me"), words("tell me about the old red fox")])
    before = parrot.digested
    answer = results(the_toys(stage), [words("tell me about the old red fox please", final=True)])
    assert said(answer) == "Well, hello."
    assert parrot.digested - before == 2, "what was left: please, and the start of the reply"


def test_an_answer_is_begun_in_a_pause_and_nothing_is_left_to_do_at_the_end_of_the_turn() -> None:
    parrot = Parrot()
    stage = mind(parrot)
    prepared = results(stage, [Words(FIRST, ("good",), ("morning",), settled=True)])
    assert said(prepared) == "Well, hello."
    before = parrot.digested
    assert results(the_toys(stage), [words("good morning", final=True)]) == []
    assert parrot.digested == before
    assert history(stage) == "be kind good morning"


def test_when_the_user_goes_on_the_answer_is_rolled_back_and_its_tokens_are_counted_as_waste() -> None:
    stage = mind(Parrot())
    results(stage, [words("i like cake", settled=True)])
    again = stage.turn.revise()
    inbox, outbox, news = connect(stage)
    inbox.put(words("i like cake and tea", settled=True, mark=again))
    while stage.step():
        pass
    assert {item.mark for item in take_all(outbox)} == {again}
    assert [item.text for item in take_all(news) if item.what == "discarded"] == ["tokens=2"]
    the_toys(stage)
    results(stage, [words("i like cake and tea", final=True, mark=again)])
    assert history(stage) == "be kind i like cake and tea"


def test_tries_are_capped_and_the_answer_then_waits_for_the_end_of_the_turn() -> None:
    stage = mind(Parrot())
    mark, spoken = FIRST, "well"
    for _ in range(TRIES):
        assert said(results(stage, [words(spoken, settled=True, mark=mark)]))
        mark, spoken = stage.turn.revise(), f"{spoken} and then"
    assert results(stage, [words(spoken, settled=True, mark=mark)]) == []
    assert said(results(the_toys(stage), [words(spoken, final=True, mark=mark)])) == "Well, hello."


def test_in_a_pause_it_tells_how_likely_the_thought_is_finished() -> None:
    stage = mind(Parrot())
    results(stage, [words("i like cake and", settled=True)])
    results(stage, [words("i like cake", settled=True, mark=stage.turn.revise())])
    unfinished, finished = told(stage)
    assert unfinished.finished is not None and unfinished.finished < 0.01
    assert finished.finished is not None and finished.finished > 0.99
    assert finished.words == ("i", "like", "cake")


def test_words_of_a_turn_that_may_never_begin_disturb_nothing() -> None:
    stage = mind(Parrot())
    before = list(stage.sequence.ids)
    assert results(stage, [words("mm hm", mark=Mark(2, 0))]) == []
    assert stage.sequence.ids == before
    assert [item.words for item in told(stage)] == [("mm", "hm")]


def test_final_words_that_differ_from_those_prepared_for_ask_for_a_new_revision() -> None:
    stage = mind(Parrot())
    results(stage, [words("good morning", settled=True)])
    told(stage)
    assert results(the_toys(stage), [words("good evening", final=True)]) == []
    assert [item.changed for item in told(stage)] == [True]
    again = stage.turn.revise()
    the_toys(stage)
    assert said(results(stage, [words("good evening", final=True, mark=again)])) == "Well, hello."
    assert history(stage) == "be kind good evening"


def test_a_turn_that_goes_on_after_it_was_handed_over_is_asked_once() -> None:
    stage = mind(Parrot())
    results(the_toys(stage), [words("i like cake", final=True)])
    again = stage.turn.revise()
    results(stage, [words("i like cake with cream", settled=True, mark=again)])
    results(the_toys(stage), [words("i like cake with cream", final=True, mark=again)])
    assert history(stage) == "be kind i like cake with cream"


def test_the_reply_ends_with_a_last_token() -> None:
    answer = results(the_toys(mind(Parrot())), [words("hello", final=True)])
    assert [item.last for item in answer if isinstance(item, Token)] == [False, False, True]


def test_only_what_was_heard_was_said() -> None:
    stage = mind(Parrot("Well, there was a fox."))
    results(
        the_toys(stage),
        [words("tell me a story", final=True), Heard(Mark(1, 0), "Well, there", complete=False)],
    )
    stage.conversation.add_user("stop")
    assert history(stage) == "be kind tell me a story Well, there stop"
    assert CUT in stage.conversation.ids(), "and the mind knows that it was interrupted"


def test_what_was_heard_is_digested_before_the_user_speaks_again() -> None:
    stage = the_toys(mind(Parrot()))
    results(stage, [words("hello", final=True), Heard(Mark(1, 0), "Well,", complete=False)])
    assert stage.sequence.ids == stage.conversation.ids()


def test_what_an_older_turn_said_is_not_put_behind_a_newer_question() -> None:
    stage = the_toys(mind(Parrot()))
    results(stage, [words("hello", final=True)])
    second = stage.turn.next()
    results(the_toys(stage), [words("and you", final=True, mark=second)])
    before = stage.conversation.ids()
    results(stage, [Heard(Mark(1, 0), "Well,", complete=False)])
    assert stage.conversation.ids() == before


def test_no_words_no_answer() -> None:
    stage = the_toys(mind(Parrot()))
    assert results(stage, [words("", final=True)]) == []
    assert [item.settles for item in told(stage)] == [True], "nobody waits for one"


def test_silence_is_an_answer() -> None:
    stage = the_toys(mind(Parrot(says="")))
    inbox, outbox, news = connect(stage)
    inbox.put(words("hm", final=True))
    while stage.step():
        pass
    assert take_all(outbox) == []
    assert [item.what for item in take_all(news)] == ["prefilled", "silent"]


def test_a_reply_that_goes_on_too_long_ends_with_its_sentence() -> None:
    stage = the_toys(mind(Parrot("One two three. Four five six. Seven."), replace(GREEDY, max_words=4)))
    assert said(results(stage, [words("count", final=True)])) == "One two three. Four five six."


def test_what_was_not_prefilled_when_the_user_stopped_is_counted() -> None:
    stage = mind(Parrot())
    inbox, _, news = connect(stage)
    inbox.put(Words(FIRST, ("tell", "me"), ("about",)))
    inbox.put(Words(FIRST, ("tell", "me"), ("about", "foxes"), settled=True))
    stage.step()
    (prefilled,) = (item for item in take_all(news) if item.what == "prefilled")
    assert prefilled.text == "3", "about, foxes, and the start of the reply"


def test_a_recorded_opener_leaves_first_and_the_model_goes_on_behind_it() -> None:
    stage = the_toys(mind(Parrot("Oh, hello there."), openers=["Well,", "Oh,"]))
    first, *rest = results(stage, [words("hello", final=True)])
    assert isinstance(first, Token) and first.text == "Oh," and first.clip is not None
    assert said([first, *rest]) == "Oh, hello there."
    assert all(item.clip is None for item in rest if isinstance(item, Token))


def test_no_opener_sounds_twice_in_a_row() -> None:
    stage = mind(Parrot("Oh, hello there."), openers=["Oh,"])
    clips = []
    for _ in range(3):
        mark = stage.turn.next()
        first = results(the_toys(stage), [words("hello", final=True, mark=mark)])[0]
        clips.append(isinstance(first, Token) and first.clip is not None)
        results(stage, [Heard(mark, "Oh, hello there.", complete=True)])
    assert clips == [True, False, True]


def test_an_opener_that_the_model_would_not_say_is_not_forced() -> None:
    stage = the_toys(mind(Parrot("Never mind."), openers=["Oh,", "Well,"]))
    answer = results(stage, [words("hello", final=True)])
    assert said(answer) == "Never mind."
    assert not any(item.clip is not None for item in answer if isinstance(item, Token))


def test_another_speaker_has_marks_of_its_own() -> None:
    stage = the_toys(mind(Parrot(says="")))
    results(stage, [replace(words("and now the weather", final=True), speaker="other")])
    assert OTHER in stage.sequence.ids and USER not in stage.sequence.ids


def slow() -> Fillers:
    return Fillers({"Hmm,": np.ones(160, np.float32)}, Speeds(0.2, 0.2, 0.2), after_ms=700, words=5)


def test_where_the_answer_will_be_late_a_filler_sounds_before_anything_is_thought() -> None:
    parrot = Parrot()
    stage = the_toys(mind(parrot, fillers=slow()))
    inbox, _, _ = connect(stage)
    inbox.put(words("tell me a story", final=True))
    for _ in stage.work(inbox.take() or words("")):
        pass
    filler = stage.think()
    assert filler is not None and filler.text == "Hmm," and filler.clip is not None
    assert parrot.digested == 0
    assert said([token for token in iter(stage.think, None) if token]) == "Well, hello."


def test_an_answer_that_is_prepared_in_a_pause_has_no_filler() -> None:
    stage = mind(Parrot(), fillers=slow())
    assert said(results(stage, [words("tell me a story", settled=True)])) == "Well, hello."


def test_what_it_says_by_itself_is_remembered_as_said() -> None:
    stage = mind(Parrot())
    the_toys(stage)
    assert said(results(stage, [Remark(FIRST, "So quiet here.")])) == "So quiet here."
    results(stage, [Heard(FIRST, "So quiet here.", complete=True)])
    assert history(stage) == "be kind So quiet here."


def test_what_is_recorded_is_said_from_its_recording() -> None:
    clip = np.ones(3, np.float32)
    first, last = results(mind(Parrot()), [Remark(FIRST, "I am tired.", clip)])
    assert isinstance(first, Token) and isinstance(last, Token)
    assert (first.text, first.clip is clip, last.text, last.last) == ("I am tired.", True, "", True)


def test_words_that_come_again_for_the_same_pause_are_answered_once() -> None:
    stage = mind(Parrot())
    results(stage, [words("stop", settled=True)])
    assert results(stage, [words("stop", settled=True)]) == []
    assert results(stage, [words("stop now", settled=True)]) == []


def test_a_reply_to_words_that_were_taken_back_is_not_put_behind_the_right_ones() -> None:
    stage = the_toys(mind(Parrot()))
    results(stage, [words("good morning", final=True)])
    again = stage.turn.revise()
    results(the_toys(stage), [words("good evening", final=True, mark=again)])
    results(stage, [Heard(FIRST, "Well,", complete=False)])
    assert history(stage) == "be kind good evening"
