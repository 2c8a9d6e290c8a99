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


def test_nothing_of_an_answer_may_sound_before_its_mark_is_committed() -> None:
    turn = Turn()
    first = turn.next()
    assert not turn.is_committed(first)
    turn.commit()
    assert turn.is_committed(first)
    second = turn.revise()
    assert not turn.is_committed(second), "the user went on: the gate is shut again"


def test_whoever_watches_is_woken_to_hold_its_breath() -> None:
    turn, bell = Turn(), Bell()
    turn.watch(bell)
    turn.hold(True)
    assert turn.held and bell.wait(0)
