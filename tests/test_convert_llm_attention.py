"""What the MLC path puts in the place of TVM's scalar functions on a CPU: attention, rotation, gate and norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

tvm = pytest.importorskip("tvm", reason="the MLC path needs apache-tvm")

from tools.convert.llm.mlc import kernels  # noqa: E402
from tools.convert.llm.mlc.kernels import Heads, attention, rotation  # noqa: E402

Array = npt.NDArray[np.float32]

HEADS = Heads(queries=6, keys=2, size=32)
SCALE = 32**-0.5
PAGE = 16


def build(function: Any) -> Callable[..., None]:
    target = tvm.target.Target({"kind": "llvm", "mcpu": tvm.get_global_func("target.llvm_get_system_cpu")()})
    return tvm.compile(tvm.IRModule({"f": function.with_attr("global_symbol", "f")}), target=target)["f"]


def whole(*values: int) -> Any:
    return tvm.runtime.tensor(np.array(values, np.int32))


def floats(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Answer(NamedTuple):
    """What a row sees, and the logarithm to base 2 of its sum of exponentials."""

    out: Array
    lse: Array


def call(function: Callable[..., None], rows: int, before: list[Any], after: list[float]) -> Answer:
    out = tvm.runtime.tensor(np.full((rows, HEADS.queries, HEADS.size), np.nan, np.float32))
    lse = tvm.runtime.tensor(np.full((rows, HEADS.queries), np.nan, np.float32))
    function(*(tvm.runtime.tensor(x) if isinstance(x, np.ndarray) else x for x in before), out, lse, *after)
    return Answer(out.numpy(), lse.numpy())


def expected(q: Array, k: Array, v: Array, masked: bool) -> Answer:
    """Attention as the textbook has it; the last row of q stands at the last position of k."""
    group = HEADS.queries // HEADS.keys
    k, v = np.repeat(k, group, axis=1).astype(np.float64), np.repeat(v, group, axis=1)
    scores = np.einsum("qhd,khd->hqk", q, k) * SCALE
    if masked:
        past = len(k) - len(q)
        scores = np.where(np.arange(len(k)) <= np.arange(len(q))[:, None] + past, scores, -np.inf)
    power = np.exp(scores)
    out = np.einsum("hqk,khd->qhd", power / power.sum(-1, keepdims=True), v)
    return Answer(out.astype(np.float32), np.log2(power.sum(-1)).T.astype(np.float32))


def assert_close(found: Answer, wanted: Answer) -> None:
    np.testing.assert_allclose(found.out, wanted.out, atol=3e-6)
    np.testing.assert_allclose(found.lse, wanted.lse, atol=1e-5)


@pytest.mark.parametrize("masked", [True, False], ids=["causal", "all"])
def test_rows_of_one_pass_look_at_each_other(masked: bool) -> None:
    """Two sequences of 37 and 5 rows in one call."""
    q, k, v = floats(1, 42, 6, 32), floats(2, 42, 2, 32), floats(3, 42, 2, 32)
    starts, positions = whole(0, 37, 42), whole(*range(42))
    found = call(
        build(attention.ragged(HEADS)),
        42,
        [q, starts, k, v, starts, positions, whole(0, 0)],
        [int(masked), 0, 1.0, 1e4, SCALE],
    )
    parts = [expected(q[a:b], k[a:b], v[a:b], masked) for a, b in ((0, 37), (37, 42))]
    assert_close(found, Answer(*(np.concatenate(each) for each in zip(*parts, strict=True))))


class Paged(NamedTuple):
    """A cache of two sequences of 41 and 96 positions, their pages in no order; what no page holds is NaN."""

    pages: Array
    arguments: list[Any]  # page_indptr, page_values, length_info
    keys: list[Array]
    values: list[Array]


def cache() -> Paged:
    pages = np.full((20, 2, 2, PAGE, 32), np.nan, np.float32)
    numbers = [[4, 7, 1], [9, 10, 11, 12, 3, 2]]
    lengths = [41, 96]
    keys, values = ([floats(seed + n, n, 2, 32) for n in lengths] for seed in (10, 20))
    for mine, key, value in zip(numbers, keys, values, strict=True):
        for at in range(len(key)):
            pages[mine[at // PAGE], 0, :, at % PAGE] = key[at]
            pages[mine[at // PAGE], 1, :, at % PAGE] = value[at]
    arguments = [whole(0, 3, 9), whole(*numbers[0], *numbers[1]), whole(41 - 32, 16)]
    return Paged(pages, arguments, keys, values)


def test_rows_of_one_pass_look_at_what_the_cache_remembers() -> None:
    paged, q = cache(), floats(1, 12, 6, 32)
    found = call(
        build(attention.paged(HEADS)),
        12,
        [q, whole(0, 7, 12), paged.pages, *paged.arguments, whole(0, 0), whole(*range(12))],
        [0, 0, 1.0, 1e4, SCALE],
    )
    parts = [expected(q[:7], paged.keys[0], paged.values[0], False)]
    parts.append(expected(q[7:], paged.keys[1], paged.values[1], False))
    assert_close(found, Answer(*(np.concatenate(each) for each in zip(*parts, strict=True))))


def test_a_decoded_token_looks_at_what_the_cache_remembers() -> None:
    paged, q = cache(), floats(1, 2, 6, 32)
    found = call(
        build(attention.decode(HEADS)),
        2,
        [q, paged.pages, *paged.arguments, whole(0, 0), whole(40, 95)],
        [0, 1.0, 1e4, SCALE],
    )
    parts = [expected(q[n : n + 1], paged.keys[n], paged.values[n], False) for n in range(2)]
    assert_close(found, Answer(*(np.concatenate(each) for each in zip(*parts, strict=True))))


def test_a_sequence_that_remembers_nothing_adds_nothing() -> None:
    pages = np.zeros((1, 2, 2, PAGE, 32), np.float32)
    before = [floats(1, 1, 6, 32), pages, whole(0, 0), whole(0), whole(0), whole(0), whole(0)]
    found = call(build(attention.decode(HEADS)), 1, before, [0, 1.0, 1e4, SCALE])
    assert (found.out == 0).all()
    assert (found.lse == -5e4).all()


def test_queries_and_keys_turn_with_their_positions() -> None:
    rotate, qkv, positions = build(rotation.rotate(HEADS, 10000.0)), floats(1, 9, 10, 32), np.arange(3, 12)
    q, k, v = (tvm.runtime.tensor(np.zeros((9, n, 32), np.float32)) for n in (6, 2, 2))
    rotate(tvm.runtime.tensor(qkv), whole(*positions), q, k, v, 1)
    angle = (positions[:, None] / 10000.0 ** (np.arange(16) / 16))[:, None]
    low, high = qkv[:, :8, :16], qkv[:, :8, 16:]
    turned = [low * np.cos(angle) - high * np.sin(angle), high * np.cos(angle) + low * np.sin(angle)]
    wanted = np.concatenate(turned, axis=-1)
    np.testing.assert_allclose(q.numpy(), wanted[:, :6], atol=1e-5)
    np.testing.assert_allclose(k.numpy(), wanted[:, 6:], atol=1e-5)
    np.testing.assert_array_equal(v.numpy(), qkv[:, 8:])
    rotate(tvm.runtime.tensor(qkv), whole(*positions), q, k, v, 0)
    np.testing.assert_array_equal(q.numpy(), qkv[:, :6])


@pytest.mark.parametrize("rows", [1, 9])
def test_gate_and_norm(rows: int) -> None:
    x = floats(1, 1, rows, 48) * 10
    gated = tvm.runtime.tensor(np.zeros((1, rows, 24), np.float32))
    build(kernels.gate(24))(tvm.runtime.tensor(x), gated)
    a, b = x[..., :24].astype(np.float64), x[..., 24:]
    np.testing.assert_allclose(gated.numpy(), a / (1 + np.exp(-a)) * b, rtol=1e-5, atol=1e-6)
    weight, normed = floats(2, 48), tvm.runtime.tensor(np.zeros_like(x))
    build(kernels.norm(48, 1e-5))(tvm.runtime.tensor(x), tvm.runtime.tensor(weight), normed)
    wanted = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + 1e-5) * weight
    np.testing.assert_allclose(normed.numpy(), wanted, rtol=1e-5)


def test_heads_that_no_vector_fits_keep_the_functions_of_tvm() -> None:
    module = tvm.IRModule()
    kernels.replace_attention(module, Heads(4, 2, 20), 1e4, scaled=False)
    assert not list(module.functions)
