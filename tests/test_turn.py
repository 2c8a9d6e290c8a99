"""Cancelling is adding one."""

from __future__ import annotations

from epsilon.ring import Bell
from epsilon.turn import Mark, Turn


def test_a_new_turn_makes_every_older_answer_stale() -> None:
    turn = Turn()
    first = turn.next()
    assert not turn.is_stale(first)
    turn.next()
    assert turn.is_stale(first)


def test_a_revision_makes_the_prepared_answer_stale_and_keeps_the_turn() -> None:
    turn = Turn()
    first = turn.next()
    second = turn.revise()
    assert turn.is_stale(first) and not turn.is_stale(second)
    assert second == Mark(first.turn, 1)


def test_whoever_watches_is_woken() -> None:
    turn, bell = Turn(), Bell()
    turn.watch(bell)
    turn.next()
    assert bell.wait(0)
