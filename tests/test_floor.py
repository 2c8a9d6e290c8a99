"""Who speaks: what is not in the table cannot happen, and the README draws what is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from epsilon.floor import DOUBTING, LISTENING, SPEAKING, TABLE, Event, Floor, Illegal, State, drawing

README = Path(__file__).parent.parent / "README.md"


def reachable(state: State) -> Iterator[State]:
    """Every state that events lead to from a state."""
    found, waiting = {state}, [state]
    while waiting:
        before = waiting.pop()
        after = {following for (origin, _), following in TABLE.items() if origin is before} - found
        found |= after
        waiting += after
    return iter(found)


def test_a_conversation_goes_through_its_states() -> None:
    floor = Floor()
    seen = [floor.take(event) for event in (Event.VOICE, Event.PAUSE, Event.MORE, Event.PAUSE, Event.END)]
    assert seen == [SPEAKING, State.PAUSING, SPEAKING, State.PAUSING, LISTENING]
    assert [floor.take(event) for event in (Event.NOISE, Event.QUIET)] == [DOUBTING, LISTENING]


def test_what_cannot_happen_is_a_fault_of_the_program() -> None:
    floor = Floor()
    assert not floor.allows(Event.END)
    with pytest.raises(Illegal, match="end cannot happen while listening"):
        floor.take(Event.END)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached_and_left(state: State) -> None:
    assert state in reachable(LISTENING)
    assert LISTENING in reachable(state)


def test_the_readme_draws_this_very_table() -> None:
    assert f"```mermaid\n{drawing()}```" in README.read_text(encoding="utf-8")
