"""Contention: what calls on one chip leave each other."""

from __future__ import annotations

import pytest

from epsilon.config.machine import Cores, Soc
from epsilon.emulation.contention import INDIVISIBLE_MS, PARALLEL, Call, Machine, shared
from epsilon.realtime import Seat

FOUR = Soc(
    chip="test",
    cores={"big": Cores((0, 1), speed=1.0), "little": Cores((2, 3), speed=0.25, bandwidth_gb_s=2.0)},
    npu="npu",
    npu_cores=3,
    gpu="gpu",
    bandwidth_gb_s=10.0,
)


def took(calls: list[Call]) -> list[float]:
    """What each would take if all ran to their end together."""
    return [1 / rate if rate else float("inf") for rate in Machine(FOUR).rates(calls)]


def call(*cores: int, work_ms: float = 100.0, read_mb: float = 0.0, priority: int = 0) -> Call:
    return Call(Seat(cores, priority), work_ms, read_mb)


def test_a_call_alone_takes_as_long_as_its_core_is_slow() -> None:
    assert took([call(0)]) == pytest.approx([100])
    assert took([call(2)]) == pytest.approx([400])


def test_calls_on_one_core_share_it_and_on_two_do_not() -> None:
    assert took([call(0), call(0)]) == pytest.approx([200, 200])
    assert took([call(0), call(1)]) == pytest.approx([100, 100])


def test_a_second_core_helps_with_a_part_of_a_long_call() -> None:
    parallel = PARALLEL * (1 - INDIVISIBLE_MS / 1000)
    assert took([call(0, 1, work_ms=1000)]) == pytest.approx([1000 * (1 - parallel) + 1000 * parallel / 2])
    assert took([call(0, 1, work_ms=10)]) == pytest.approx([10])


def test_the_higher_priority_has_the_core_to_itself() -> None:
    assert took([call(0, priority=50), call(0)]) == pytest.approx([100, float("inf")])


def test_a_call_that_may_run_anywhere_goes_where_most_is_left() -> None:
    assert took([call(0), call(1), call()]) == pytest.approx(
        [200, 100, 200]
    )  # half of a big one beats a little one
    assert took([call(0), call(0), call(0), call(1), call(1), call(1), call()])[-1] == pytest.approx(400)


def test_memory_slows_whoever_reads_much() -> None:
    reading = call(0, work_ms=10, read_mb=100)
    assert took([reading]) == pytest.approx([10])  # 10 GB/s, which is all there is
    assert took([reading, call(1, work_ms=10, read_mb=100)]) == pytest.approx([20, 20])
    assert took([reading, call(1, work_ms=10, read_mb=10)]) == pytest.approx(
        [100 / 9, 10]
    )  # who needs little gets it
    assert took([reading, call(1, work_ms=10)]) == pytest.approx([10, 10])


def test_a_core_can_draw_only_so_much_alone() -> None:
    assert took([call(2, work_ms=1, read_mb=100)]) == pytest.approx([50])
    assert took([call(2, 3, work_ms=1, read_mb=100)]) == pytest.approx([25])


def test_accelerators_are_shared_only_by_those_who_use_them() -> None:
    first = Call(Seat(npu_cores=(0,)), 100, on="npu")
    second = Call(Seat(npu_cores=(1, 2)), 100, on="npu")
    assert took([first, second, Call(Seat(), 100, on="gpu"), call(0)]) == pytest.approx([100] * 4)
    assert took([first, first]) == pytest.approx([200, 200])


def test_more_small_cores_beat_fewer_fast_ones_where_memory_is_the_limit() -> None:
    """A core twice as fast waits for the memory as long as a slow one does; two of them do not wait for each other."""
    reading = Call(Seat((0,)), 100.0, read_mb=500.0)
    few = Machine(Soc(cores={"fast": Cores((0,), speed=2.0, bandwidth_gb_s=5.0)}, bandwidth_gb_s=20.0))
    many = Machine(Soc(cores={"slow": Cores((0, 1), speed=1.0, bandwidth_gb_s=5.0)}, bandwidth_gb_s=20.0))
    other = Call(Seat((1,)), 100.0, read_mb=500.0)
    assert max(few.rates([reading, reading])) < min(many.rates([reading, other]))


def test_what_is_shared_is_shared_fairly() -> None:
    assert shared([1, 5, 5], 9) == [1, 4, 4]
    assert shared([], 9) == []
