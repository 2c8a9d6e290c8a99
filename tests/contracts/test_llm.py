"""Every language model on every runtime that runs one: tiny random weights, and the models that ship.

Prefill in pieces is prefill at once, rolling back is never having said it, branches of a fork do not meet; as
exactly as the runtime's decoder promises by its `tolerance`, and what is said is the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.config.character import Sampling
from epsilon.config.folders import loadable_names
from epsilon.engines.llm import mistral
from epsilon.engines.llm.sampler import Sampler
from epsilon.errors import ConfigError
from epsilon.realtime import Seat
from epsilon.runtimes import openvino
from tests.found import load, load_shipped, shipped
from tests.models.tiny import MINDS, mind

ABLE = loadable_names("runtimes", function="load_decoder")
PACKAGES = {"mlc": "tvm"}  # runtimes that need a package which not everybody installs
COMPILED = {"mlc"}
ELSEWHERE = {"mlc_llm"}  # runtimes that no wheel brings; their own tests hold them to a double of the package
SENTENCE = "what is the name of a small toy that talks and why does it never stop"
WORDS = SENTENCE.split()


def cases() -> Iterator[Any]:
    """What is compiled for the test takes its time."""
    for name in (*MINDS, *shipped("llm")):
        yield pytest.param(name, marks=[pytest.mark.slow] if name in COMPILED else [])


@pytest.fixture(scope="module", params=cases())
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param in shipped("llm"):
        return load_shipped(request.param)
    name, make = MINDS[request.param]
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason="it comes with an extra of this project")
    runtime = importlib.import_module(f"epsilon.runtimes.{name}")
    return load(make(tmp_path_factory.mktemp("mind")), runtime)


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
    np.testing.assert_allclose(model.logits(seq), model.logits(expected), atol=model.decoder.tolerance)
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


def test_forks_of_forks_go_their_own_ways(model: Any, ids: list[int]) -> None:
    seq = at_once(model, ids[:8])
    branches = [(seq, ids[:8])]
    for turn in range(4):
        grown = []
        for parent, held in branches:
            more = ids[8 + turn : 12 + turn] if turn % 2 else list(reversed(ids))[turn : turn + 3]
            child = model.fork(parent)
            model.append(child, more)
            grown += [(parent, held), (child, [*held, *more])]
        branches = grown
    for branch, held in branches:
        assert_same(model, branch, held)


def test_what_is_stored_comes_back_from_a_memory_map(model: Any, ids: list[int], tmp_path: Path) -> None:
    """A persona is prefilled once, when the model is made, and mapped when the toy starts."""
    stored = model.store(at_once(model, ids[:25]))
    assert stored.dtype == np.float32
    np.save(tmp_path / "persona.npy", stored)
    mapped = np.load(tmp_path / "persona.npy", mmap_mode="r")
    restored, other = (model.restore(ids[:25], mapped) for _ in range(2))
    assert_same(model, restored, ids[:25])
    model.append(restored, ids[25:])
    assert_same(model, restored, ids)
    assert_same(model, other, ids[:25])
    np.testing.assert_array_equal(np.load(tmp_path / "persona.npy"), stored)


def test_what_was_just_said_is_stored_too(model: Any, ids: list[int]) -> None:
    seq = at_once(model, ids[:10])
    said = steps(model, seq, 3)
    restored = model.restore([*ids[:10], *said], model.store(seq))
    assert_same(model, restored, [*ids[:10], *said])


def test_what_was_stored_of_something_else_is_refused(model: Any, ids: list[int]) -> None:
    stored = model.store(at_once(model, ids[:10]))
    with pytest.raises(ValueError, match="10"):
        model.restore(ids[:9], stored)
    with pytest.raises(ValueError, match="shape"):
        model.restore(ids[:10], stored[..., :-1])


def test_sync_to_holds_exactly_the_ids(model: Any, ids: list[int]) -> None:
    seq = model.start()
    for wanted in (ids[:5], ids[:25], [*ids[:11], *reversed(ids[:9])], ids[:3], ids):
        model.sync_to(seq, wanted)
        assert_same(model, seq, wanted)
    assert model.sync_to(seq, [*ids[:-2], ids[0]]) == 1, (
        "what was not there yet is prefilled, and nothing else"
    )


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


def test_everything_up_to_the_end_is_as_at_once(model: Any, ids: list[int]) -> None:
    long = (ids * model.limit)[: model.limit]
    seq = model.start()
    for start in range(0, model.limit, 7):
        model.append(seq, long[start : start + 7])
    assert_same(model, seq, long)
    model.rollback(seq, model.limit - 3)
    assert_same(model, seq, long[:-3])


def test_logits_are_the_callers(model: Any, ids: list[int]) -> None:
    """A pass does not write into what an earlier one gave."""
    seq = at_once(model, ids[:10])
    before = model.logits(seq)
    kept = before.copy()
    model.append(model.fork(seq), ids[10:])
    np.testing.assert_array_equal(before, kept)


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


def test_every_runtime_that_runs_language_models_is_held_to_this() -> None:
    assert {name for name, _ in MINDS.values()} >= set(ABLE) - ELSEWHERE


def test_a_runtime_that_runs_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"openvino runs no language models; there are: .*onnx"):
        mistral.load(mind(tmp_path), openvino, Seat())
