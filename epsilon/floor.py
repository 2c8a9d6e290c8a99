"""Who has the floor: every state of a conversation and every legal step between two, in one table."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Who speaks, as far as the toy knows."""

    LISTENING = "the toy thinks, speaks or is silent"
    SPEAKING = "the user speaks"
    PAUSING = "the user pauses, an answer is prepared and nothing sounds"
    DOUBTING = "the toy holds its breath"


class Event(Enum):
    """What happens in the room."""

    VOICE = "somebody begins to speak"
    MORE = "the user goes on before the answer has sounded"
    PAUSE = "a short silence"
    END = "the turn is over"
    NOISE = "a sound while the toy speaks"
    INSISTENCE = "words, or speech that does not stop"
    QUIET = "it was a cough, a laugh or a hum"
    PRESS = "the talk button goes down"
    RELEASE = "the talk button comes up"
    MUTE = "the microphone is switched off"
    REMARK = "the toy begins by itself"


class Illegal(RuntimeError):
    """An event that cannot happen in this state: a fault of the program."""


LISTENING, SPEAKING, PAUSING, DOUBTING = State

TABLE: dict[tuple[State, Event], State] = {
    (LISTENING, Event.VOICE): SPEAKING,
    (LISTENING, Event.MORE): SPEAKING,
    (LISTENING, Event.NOISE): DOUBTING,
    (LISTENING, Event.PRESS): SPEAKING,
    (LISTENING, Event.REMARK): LISTENING,
    (SPEAKING, Event.PAUSE): PAUSING,
    (SPEAKING, Event.RELEASE): LISTENING,
    (SPEAKING, Event.MUTE): LISTENING,
    (PAUSING, Event.MORE): SPEAKING,
    (PAUSING, Event.END): LISTENING,
    (PAUSING, Event.RELEASE): LISTENING,
    (PAUSING, Event.MUTE): LISTENING,
    (DOUBTING, Event.INSISTENCE): SPEAKING,
    (DOUBTING, Event.QUIET): LISTENING,
    (DOUBTING, Event.PRESS): SPEAKING,
    (DOUBTING, Event.MUTE): LISTENING,
}


class Floor:
    """The state, moved by events; one that the table does not know in this state raises Illegal."""

    def __init__(self) -> None:
        self.state = LISTENING

    def take(self, event: Event) -> State:
        """The state after an event."""
        following = TABLE.get((self.state, event))
        if following is None:
            raise Illegal(f"{event.name.lower()} cannot happen while {self.state.name.lower()}")
        self.state = following
        return following

    def allows(self, event: Event) -> bool:
        """True when the table knows the event in this state."""
        return (self.state, event) in TABLE


def drawing() -> str:
    """The table as a Mermaid state diagram: what the README shows."""
    lines = ["stateDiagram-v2", "    [*] --> listening"]
    lines += [f"    {state.name.lower()}: {state.name.lower()} — {state.value}" for state in State]
    lines += [
        f"    {before.name.lower()} --> {after.name.lower()}: {event.name.lower()} — {event.value}"
        for (before, event), after in TABLE.items()
    ]
    return "\n".join(lines) + "\n"
