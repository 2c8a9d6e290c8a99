"""Whose turn it is: the number that everything on its way to the speaker carries."""

from __future__ import annotations

from typing import NamedTuple

from epsilon.ring import Bell


class Mark(NamedTuple):
    """A turn of the conversation and how often its answer was begun anew."""

    turn: int
    revision: int


class Turn:
    """The current turn. One writer, the vad stage; many readers, who compare and never wait.

    Cancelling is adding one: whoever meets an item with an older mark drops and counts it. No queue is
    emptied and no lock is needed, because the mark is one object that is replaced whole.
    """

    def __init__(self) -> None:
        self.now = Mark(0, 0)
        self._watchers: list[Bell] = []

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever the mark changes."""
        self._watchers.append(bell)

    def next(self) -> Mark:
        """The user began to speak: a new turn; every older answer is stale from here on."""
        return self._become(Mark(self.now.turn + 1, 0))

    def revise(self) -> Mark:
        """The user went on within the turn: the answer prepared so far is stale, the turn is not."""
        return self._become(Mark(self.now.turn, self.now.revision + 1))

    def is_stale(self, mark: Mark) -> bool:
        """True when a newer turn or revision has begun since `mark`."""
        return mark < self.now

    def _become(self, mark: Mark) -> Mark:
        self.now = mark
        for bell in self._watchers:
            bell.ring()
        return mark
