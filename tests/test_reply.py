"""A reply keeps to its character: nothing banned, biased words, an end with its thought, a spoken length."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from epsilon.config.character import Sampling
from epsilon.engines.llm.chat import Chat
from epsilon.engines.llm.reply import Manner, Reply, spoken_ms
from epsilon.engines.llm.sampler import Sampler
from epsilon.errors import ConfigError
from tests.models import tiny
from tests.scripted import Said

GREEDY = Sampling(temperature=0.0, repetition=1.0)
VOCABULARY = 100  # more than the tiny tokenizer has, as networks may


class Insistent:
    """Says its words in order, each far likelier than the next best, and ends."""

    def __init__(self, chat: Chat, words: str, second_best: str = "z") -> None:
        self.chat, self._words = chat, [token for word in words.split() for token in chat.encode_word(word)]
        (self._second,) = chat.encode_word(second_best)

    def step(self, seq: Said, sampler: Sampler) -> int:
        scores = np.full(VOCABULARY, -20.0, np.float32)
        scores[self._second] = 0.0
        scores[self._words[len(seq)] if len(seq) < len(self._words) else self.chat.end[0]] = 5.0
        seq.append(sampler.pick(scores))
        return seq[-1]

    def rollback(self, seq: Said, length: int) -> None:
        del seq[length:]

    def append(self, seq: Said, ids: list[int]) -> None:
        seq.extend(ids)


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    tiny.mind(tmp_path)
    made = Chat(tmp_path)
    made.max_reply_tokens = 40
    return made


def reply(chat: Chat, words: str, sampling: Sampling = GREEDY, begun: str = "") -> list[str]:
    ids = [token for word in begun.split() for token in chat.encode_word(word)]
    model, seq = Insistent(chat, words), Said(ids)
    return list(Reply(model, seq, Manner.of(sampling, chat), (1, 1), ids).pieces())  # type: ignore[arg-type]


def test_a_reply_is_what_the_model_says_until_it_ends(chat: Chat) -> None:
    assert "".join(reply(chat, "a cat on a mat")) == "a cat on a mat"
    assert reply(chat, "") == []


def test_a_banned_word_is_unsaid_before_anybody_hears_it(chat: Chat) -> None:
    pieces = reply(chat, "a bad cat", replace(GREEDY, banned=("bad",)))
    assert "bad" not in "".join(pieces).split()
    assert "".join(pieces).startswith("a ")
    assert all(not piece.strip().startswith("b") for piece in pieces), "not even its beginning was let go"


def test_a_word_banned_at_the_very_end_is_unsaid_too(chat: Chat) -> None:
    assert "".join(reply(chat, "a bad", replace(GREEDY, banned=("bad",)))).split()[:2] != ["a", "bad"]


def test_a_reply_goes_on_behind_an_opener(chat: Chat) -> None:
    assert "".join(reply(chat, "oh a cat", begun="oh")) == " a cat"


def test_a_favoured_token_wins(chat: Chat) -> None:
    assert "".join(reply(chat, "a b c", replace(GREEDY, bias={"z": 20.0}))).split()[0] == "z"
    assert "".join(reply(chat, "a b c", replace(GREEDY, bias={"b": -100.0}))) == "a z c"


def test_what_is_several_tokens_cannot_be_favoured(chat: Chat) -> None:
    with pytest.raises(ConfigError, match="'cat' is 3 tokens"):
        Manner.of(replace(GREEDY, bias={"cat": 1.0}), chat)


def test_a_mark_that_the_model_does_not_have_is_passed_over(chat: Chat) -> None:
    assert Manner.of(replace(GREEDY, bias={"<hush>": 2.0}), chat).bias == {}


def test_a_reply_never_has_more_tokens_than_it_may(chat: Chat) -> None:
    assert len("".join(reply(chat, "a " * 100)).split()) == 40


def test_the_length_of_speech_is_estimated_by_syllables() -> None:
    assert spoken_ms("banana") == pytest.approx(3 * spoken_ms("ba"))
    assert spoken_ms("banana", speed=2.0) == pytest.approx(spoken_ms("banana") / 2)
    assert spoken_ms("no. no.") > spoken_ms("no no")


def test_a_worn_beginning_is_not_begun_with(chat: Chat) -> None:
    model, manner = Insistent(chat, "a cat on a mat"), Manner.of(GREEDY, chat)
    worn = chat.encode_word("a")[:1]
    said = "".join(Reply(model, Said([]), manner, (1, 1), worn=worn).pieces())  # type: ignore[arg-type]
    assert said and not said.startswith("a ")
