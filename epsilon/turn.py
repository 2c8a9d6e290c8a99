"""Whose turn it is: the number that everything on its way to the speaker carries, and the gate it waits behind."""

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
    emptied and no lock is needed, because every mark is one object that is replaced whole.

    An answer may be made before it is wanted: nothing of it sounds until its mark is committed. While `held`
    the toy holds its breath: somebody made a sound, and it is not known yet whether that was meant for it.
    """

    def __init__(self) -> None:
        self.now = Mark(0, 0)
        self.committed = Mark(0, 0)  # before anybody has spoken the word is the toy's
        self.held = False
        self.changes = 0  # of any of this, so far
        self._watchers: list[Bell] = []

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever anything of this changes."""
        self._watchers.append(bell)

    def next(self, revision: int = 0) -> Mark:
        """The user began to speak: a new turn; every older answer is stale from here on."""
        return self._become(Mark(self.now.turn + 1, revision))

    def revise(self) -> Mark:
        """The user went on within the turn: the answer prepared so far is stale, the turn is not."""
        return self._become(Mark(self.now.turn, self.now.revision + 1))

    def commit(self) -> None:
        """The turn is the toy's: what was prepared for it may sound."""
        self.committed = self.now
        self._ring()

    def hold(self, held: bool) -> None:
        """Hold the toy's breath, or let it go on where it was."""
        self.held = held
        self._ring()

    def is_stale(self, mark: Mark) -> bool:
        """True when a newer turn or revision has begun since `mark`."""
        return mark < self.now

    def is_committed(self, mark: Mark) -> bool:
        """True when what belongs to `mark` may sound."""
        return mark == self.committed

    def _become(self, mark: Mark) -> Mark:
        self.now = mark
        self._ring()
        return mark

    def _ring(self) -> None:
        self.changes += 1
        for bell in self._watchers:
            bell.ring()
