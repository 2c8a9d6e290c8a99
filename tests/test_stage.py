"""The loop: what goes in comes out, stale work stops early, a dead thread is noticed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from epsilon.messages import Message, Token
from epsilon.ring import Bell, Ring
from epsilon.stage import SLOTS, Stage
from epsilon.turn import Mark
from tests.rig import connect, place, take_all


class Spelling(Stage):
    """Passes each letter of a token on."""

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Token)
        for letter in item.text:
            self.tell("letter", item.mark, letter)
            yield Token(item.mark, letter)


def letters(ring: Ring[Message]) -> str:
    return "".join(item.text for item in take_all(ring) if isinstance(item, Token))


def test_results_are_passed_on_in_order() -> None:
    stage = Spelling(place())
    inbox, outbox, news = connect(stage)
    inbox.put(Token(Mark(0, 0), "ab"))
    inbox.put(Token(Mark(0, 0), "c"))
    assert stage.step()
    assert letters(outbox) == "abc"
    assert [item.text for item in take_all(news)] == ["a", "b", "c"]
    assert not stage.step(), "nothing is left to do"


def test_what_a_newer_turn_made_stale_is_dropped_and_counted() -> None:
    stage = Spelling(place())
    inbox, outbox, _ = connect(stage)
    inbox.put(Token(Mark(0, 0), "old"))
    stage.turn.next()
    inbox.put(Token(stage.turn.now, "new"))
    stage.step()
    assert letters(outbox) == "new"
    assert stage.counts.stale == 1


def test_work_stops_at_the_yield_after_which_it_became_stale() -> None:
    class Interrupted(Spelling):
        def work(self, item: Message) -> Iterator[Message]:
            for number, result in enumerate(super().work(item)):
                if number == 2:
                    self.turn.next()
                yield result

    stage = Interrupted(place())
    inbox, outbox, news = connect(stage)
    inbox.put(Token(Mark(0, 0), "abcdef"))
    stage.step()
    assert letters(outbox) == "ab"
    assert len(take_all(news)) == 3, "the letters after the interruption were never worked on"


def test_a_thread_waits_for_room_and_loses_nothing() -> None:
    stage = Spelling(place())
    inbox = stage.inbox()
    stage.outbox = Ring(4, Bell())
    inbox.put(Token(Mark(0, 0), "abcdefghij"))
    stage.start()
    read = ""
    while len(read) < 10:
        stage.outbox.bell.wait(5)
        read += letters(stage.outbox)
    stage.stop()
    stage.join(5)
    assert read == "abcdefghij"
    assert not stage.is_alive()


def test_in_lockstep_a_ring_that_overflows_is_an_error_and_not_a_deadlock() -> None:
    stage = Spelling(place())
    inbox, stage.outbox = stage.inbox(), Ring(4, Bell())
    inbox.put(Token(Mark(0, 0), "abcdef"))
    with pytest.raises(RuntimeError, match=f"{SLOTS} messages"):
        stage.step()


def test_a_thread_that_dies_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: seen.append(failure.exc_value))
    stage, exited = Stage(place()), threading.Event()
    stage.on_exit = exited.set
    stage.inbox().put(Token(Mark(0, 0), "x"))
    stage.start()
    assert exited.wait(5)
    stage.join(5)
    assert isinstance(seen[0], NotImplementedError)
