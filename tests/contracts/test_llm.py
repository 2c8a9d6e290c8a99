"""Every language model, on tiny random weights and on the models that ship.

Prefill in pieces is prefill at once, rolling back is never having said it, branches of a fork do not meet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from epsilon.config.character import Sampling
from epsilon.engines.llm.sampler import Sampler
from tests.found import engines, load, load_shipped, shipped
from tests.models.tiny import TINY

TOLERANCE = 1e-4  # logits: sums of float32 are taken in another order when more tokens pass at once
SENTENCE = "what is the name of a small toy that talks and why does it never stop"
WORDS = SENTENCE.split()


@pytest.fixture(scope="module", params=[*engines("llm"), *shipped("llm")])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param in shipped("llm"):
        return load_shipped(request.param)
    return load(TINY["llm"][request.param](tmp_path_factory.mktemp("mind")))


@pytest.fixture
def ids(model: Any) -> list[int]:
    found: list[int] = [*model.chat.user.before, *model.chat.encode(WORDS)]
    return found[:40]


def greedy() -> Sampler:
    return Sampler(Sampling(temperature=0.0, repetition=1.0), seed=0)


def at_once(model: Any, ids: list[int]) -> Any:
    seq = model.start()
    model.append(seq, ids)
    return seq


def steps(model: Any, seq: Any, count: int = 10) -> list[int]:
    sampler = greedy()
    return [model.step(seq, sampler) for _ in range(count)]


def assert_same(model: Any, seq: Any, ids: list[int]) -> None:
    """The sequence holds `ids` and goes on as if they had been prefilled at once."""
    expected = at_once(model, ids)
    assert seq.ids == ids and seq.length == len(ids)
    np.testing.assert_allclose(model.logits(seq), model.logits(expected), atol=TOLERANCE)
    assert steps(model, model.fork(seq)) == steps(model, expected)


@pytest.mark.parametrize("cuts", [[1], [7, 8, 20], [1, 2, 3, 4, 5], list(range(1, 40))])
def test_prefill_in_pieces_is_prefill_at_once(model: Any, ids: list[int], cuts: list[int]) -> None:
    seq = model.start()
    for start, end in zip([0, *cuts], [*cuts, len(ids)], strict=True):
        model.append(seq, ids[start:end])
    assert_same(model, seq, ids)


def test_rolling_back_is_never_having_said_it(model: Any, ids: list[int]) -> None:
    seq = at_once(model, ids)
    model.rollback(seq, 12)
    model.append(seq, list(reversed(ids)))
    steps(model, seq, 3)
    model.rollback(seq, 12)
    assert_same(model, seq, ids[:12])
    model.append(seq, ids[12:])
    assert_same(model, seq, ids)


def test_branches_of_a_fork_do_not_meet(model: Any, ids: list[int]) -> None:
    left = at_once(model, ids[:20])
    right = model.fork(left)
    model.append(left, ids[20:])
    model.rollback(right, 10)
    steps(model, right, 5)
    assert_same(model, left, ids)
    model.rollback(right, 10)
    assert_same(model, right, ids[:10])


def test_sync_to_holds_exactly_the_ids(model: Any, ids: list[int]) -> None:
    seq = model.start()
    for wanted in (ids[:5], ids[:25], [*ids[:11], *reversed(ids[:9])], ids[:3], ids):
        model.sync_to(seq, wanted)
        assert_same(model, seq, wanted)


def test_a_step_appends_what_it_says(model: Any, ids: list[int]) -> None:
    seq = at_once(model, ids)
    said = steps(model, seq, 6)
    assert seq.ids == [*ids, *said]
    assert_same(model, seq, [*ids, *said])


def test_the_same_seed_says_the_same(model: Any, ids: list[int]) -> None:
    settings = Sampling(temperature=1.0, top_p=0.95)
    said = []
    for seed in (7, 7, 8):
        seq, sampler = at_once(model, ids), Sampler(settings, seed=(seed, 1))
        said.append([model.step(seq, sampler) for _ in range(12)])
    assert said[0] == said[1] != said[2]


def test_a_full_sequence_ends(model: Any) -> None:
    word = model.chat.encode(["a"])[:1]
    seq = at_once(model, word * (model.limit - 2))
    said = steps(model, seq, 4)
    assert len(seq.ids) == model.limit and said[2] in model.chat.ends
    with pytest.raises(ValueError, match="do not fit"):
        model.append(seq, word)


def test_what_makes_no_sense_is_refused(model: Any, ids: list[int]) -> None:
    seq = at_once(model, ids)
    with pytest.raises(ValueError, match="cannot keep"):
        model.rollback(seq, len(ids) + 1)
    with pytest.raises(ValueError, match="empty"):
        model.step(model.start(), greedy())


def test_words_are_tokens_of_their_own(model: Any) -> None:
    """What has been prefilled of a sentence stays when a word is added."""
    chat = model.chat
    for count in range(1, len(WORDS)):
        longer = chat.encode(WORDS[: count + 1])
        assert longer[: len(chat.encode(WORDS[:count]))] == chat.encode(WORDS[:count])
    assert chat.decode(chat.encode(WORDS)) == SENTENCE
    assert chat.decode([*chat.encode(["so"]), *chat.end]) == "so"
