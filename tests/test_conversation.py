"""The conversation as tokens: words only add, what was not heard is not there, old turns leave whole."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from epsilon.engines.llm.chat import Chat
from epsilon.engines.llm.conversation import Conversation
from epsilon.errors import ConfigError, ModelError
from tests.models import tiny


class Talker(NamedTuple):
    chat: Chat
    limit: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.mind(tmp_path)
    return tmp_path


@pytest.fixture
def chat(folder: Path) -> Chat:
    return Chat(folder)


def text(chat: Chat, ids: list[int]) -> str:
    """Ids as they read, with marks."""
    return str(chat._tokenizer.decode(ids, skip_special_tokens=False))


def test_a_conversation_reads_like_one(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 200), "i am a toy")
    assert text(chat, talk.ids()) == "<system> i am a toy<end>"
    talk.add_user("hello toy")
    assert text(chat, talk.prompt()) == "<system> i am a toy<end><user> hello toy<reply>"
    talk.add_reply("good day")
    assert text(chat, talk.ids(["and", "you"])).endswith(
        "<user> hello toy<reply> good day<end><user> and you"
    )


def test_further_words_only_add(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 200), "i am a toy")
    words = ["what", "is", "the", "name", "of", "your", "dog"]
    before = talk.ids()
    for count in range(1, len(words) + 1):
        now = talk.ids(words[:count])
        assert now[: len(before)] == before
        before = now
    talk.add_user(" ".join(words))
    assert talk.prompt()[: len(before)] == before


def test_only_what_was_heard_is_there(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 200), "toy")
    talk.add_user("tell me all")
    talk.add_reply("once upon")
    assert text(chat, talk.ids()).endswith("<reply> once upon<end>")


def test_a_turn_without_an_answer_was_answered_with_silence(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 200), "toy")
    talk.add_user("go away")
    assert text(chat, talk.ids(["still"])).endswith("<user> go away<reply><silent><user> still")
    talk.add_user("still there")
    assert text(chat, talk.prompt()).endswith("<user> go away<reply><silent><user> still there<reply>")


def test_news_of_an_answer_may_come_late(chat: Chat) -> None:
    """The user interrupts: first words of the next turn arrive before it is known what was heard."""
    talk = Conversation(Talker(chat, 200), "toy")
    talk.add_user("tell me all")
    assert text(chat, talk.ids(["stop"])).endswith("<user> tell me all<reply><silent><user> stop")
    talk.add_reply("once upon")
    assert text(chat, talk.ids(["stop"])).endswith("<user> tell me all<reply> once upon<end><user> stop")


def test_old_turns_leave_whole_and_the_persona_stays(chat: Chat) -> None:
    limit = 160
    talk = Conversation(Talker(chat, limit), "i am a toy")
    for turn in range(30):
        talk.add_user(f"question {chr(97 + turn % 26)} is this")
        assert len(talk.prompt()) + chat.max_reply_tokens <= limit
        talk.add_reply("and an answer it is")
        history = text(chat, talk.ids())
        assert history.startswith("<system> i am a toy<end>")
        assert history.count("<user>") == history.count("<reply>")
        assert history.endswith("answer it is<end>")


def test_endless_speech_keeps_its_end(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 160), "toy")
    words = ["word"] * 300 + ["last"]
    assert len(talk.ids(words)) + chat.max_reply_tokens <= 160
    assert text(chat, talk.ids(words)).endswith("word last")
    talk.add_user(" ".join(words))
    assert len(talk.prompt()) + chat.max_reply_tokens <= 160


def test_a_persona_too_long_for_the_model_is_refused(chat: Chat) -> None:
    with pytest.raises(ConfigError, match="too many for the model"):
        Conversation(Talker(chat, 90), "a very long story " * 10)


def test_marks_that_the_tokenizer_lacks_are_named(folder: Path) -> None:
    path = folder / "chat.yaml"
    path.write_text(path.read_text().replace("<silent>", "<hush>"))
    with pytest.raises(ModelError, match=r"chat\.yaml: the tokenizer has no token '<hush>'"):
        Chat(folder)
    path.write_text(path.read_text().replace("<hush>", "hush"))
    with pytest.raises(ModelError, match="should be marks"):
        Chat(folder)


def test_another_speaker_speaks_behind_marks_of_its_own(folder: Path) -> None:
    path = folder / "chat.yaml"
    path.write_text(path.read_text() + "speakers: {other: '<system>{text}<end>'}\n")
    chat = Chat(folder)
    talk = Conversation(Talker(chat, 200), "toy")
    assert text(chat, talk.ids(["good", "evening"], "other")).endswith("<system> good evening")
    talk.add_user("good evening", "other")
    assert text(chat, talk.ids()).endswith("<system> good evening<end>")
    talk.add_user("who was that", "nobody the model knows")
    assert text(chat, talk.ids()).endswith("<reply><silent><user> who was that")


def test_what_is_remembered_as_text_is_what_is_remembered_as_tokens(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 120), "i am a toy")
    for name in ("one", "two", "three", "four", "five", "six"):
        talk.add_user(f"my name is {name} and i have a dog")
        talk.add_reply("good day", complete=name != "six")
    talk.add_user("that was all")
    talk.take_back()
    talk.add_user("what is your name")
    assert len(talk.exchanges) < 7, "the oldest turns have left"
    assert [exchange.complete for exchange in talk.exchanges[-2:]] == [False, True]
    again = Conversation(Talker(chat, 120), "i am a toy")
    again.take_over(talk.exchanges)
    assert again.ids() == talk.ids() and again.prompt() == talk.prompt()
    assert again.exchanges == talk.exchanges


def test_a_reply_that_was_heard_twice_in_a_row_is_worn(chat: Chat) -> None:
    talk = Conversation(Talker(chat, 200), "i am a toy")
    for words, worn in (("hello", False), ("what is that", True)):
        talk.add_user(words)
        talk.add_reply("good day")
        assert bool(talk.worn) is worn
    assert talk.worn == tuple(chat.encode(["good"]))[:1]
    talk.add_user("and you")
    assert talk.worn  # it is not answered yet: this is when it matters
    talk.add_reply("a dog")
    assert talk.worn == ()
