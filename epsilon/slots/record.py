"""What is known of the two root slots, and what happens to that: starts, proofs, updates. No disk is touched here."""

from __future__ import annotations

from dataclasses import dataclass, replace

NAMES = ("a", "b")
TRIES = 3  # starts that a slot has to prove itself
NO_IDENTITY = "-"


@dataclass(frozen=True)
class Slot:
    """One root partition: what is known of it, the starts it has left, and which image is in it."""

    state: str = "empty"
    tries: int = 0
    identity: str = NO_IDENTITY


@dataclass(frozen=True)
class Record:
    """Both slots, which is tried first, and how often the record was written."""

    count: int
    first: str
    a: Slot
    b: Slot

    def slot(self, name: str) -> Slot:
        """The slot of that name."""
        return self.a if name == "a" else self.b

    def with_slot(self, name: str, slot: Slot) -> Record:
        """The record with that slot changed."""
        return replace(self, a=slot) if name == "a" else replace(self, b=slot)

    @property
    def order(self) -> tuple[str, str]:
        """The names, the one tried first in front."""
        return (self.first, other(self.first))


def other(name: str) -> str:
    """The other slot."""
    return "b" if name == "a" else "a"


def identity(sha256: str) -> str:
    """What the record calls an image: the first digits of its checksum."""
    return sha256[:16].lower()


def factory(a: str | None, b: str | None = None) -> Record:
    """The record of a new toy; a slot whose image has no identity is empty."""
    made = [Slot("new", TRIES, name) if name else Slot() for name in (a, b)]
    return Record(1, "a" if a else "b", made[0], made[1])


def starting(record: Record) -> tuple[Record, str | None]:
    """What the init does: take a try off the first slot that has one, and start it.

    With no try left anywhere the toy is in trouble (None). It rests then, and the slot that is most likely sound gets
    one try for the next time somebody turns the toy on: one failure each power-on, never a loop.
    """
    for name in record.order:
        slot = record.slot(name)
        if slot.tries:
            return record.with_slot(name, replace(slot, tries=slot.tries - 1)), name
    spare = likeliest(record)
    return (record.with_slot(spare, replace(record.slot(spare), tries=1)) if spare else record), None


def likeliest(record: Record) -> str | None:
    """Of two slots without a try, the one that was good once, else one that holds anything."""
    good = [name for name in record.order if record.slot(name).state == "good"]
    held = [name for name in record.order if record.slot(name).state != "empty"]
    return (good + held + [None])[0]


def good(record: Record, name: str) -> Record:
    """The started slot has listened and spoken: it keeps all its tries, and it comes first from now on.

    The other one, where it has used up its tries, is bad if it was never good; an old good one is kept as a spare.
    """
    record = replace(
        record.with_slot(name, replace(record.slot(name), state="good", tries=TRIES)), first=name
    )
    rest = record.slot(other(name))
    if rest.tries == 0 and rest.state == "new":
        rest = replace(rest, state="bad")
    elif rest.tries == 0 and rest.state == "good":
        rest = replace(rest, tries=1)
    return record.with_slot(other(name), rest)


def bad(record: Record, name: str) -> Record:
    """That slot is not to be started again."""
    state = "empty" if record.slot(name).state == "empty" else "bad"
    return replace(
        record.with_slot(name, replace(record.slot(name), state=state, tries=0)), first=other(name)
    )


def emptied(record: Record, name: str) -> Record:
    """Before a new image is written over a slot: nothing may start it until it is whole."""
    return replace(record.with_slot(name, Slot()), first=other(name))


def filled(record: Record, name: str, image: str) -> Record:
    """A new image lies whole in that slot: it is tried first, three times."""
    return replace(record.with_slot(name, Slot("new", TRIES, image)), first=name)


LOST = Record(
    1, "a", Slot("new", TRIES), Slot("new", TRIES)
)  # what an unreadable record is taken for, by the init too
