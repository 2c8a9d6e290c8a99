"""Taps: rings that tell what passes, and where the rings of a toy are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from epsilon.ring import Ring
from epsilon.stage import Stage

NEWS = "news"  # who reads what stages tell whoever watches


class Joint(NamedTuple):
    """A ring that a stage writes to, and where the stage keeps it."""

    writer: Stage
    attribute: str
    ring: Ring[Any]
    name: str  # "vad→asr"


class Tap(Ring[Any]):
    """The writer's end of a ring: `passes` is given the ring and the item, and puts it there or does not."""

    def __init__(self, ring: Ring[Any], passes: Callable[[Ring[Any], Any], bool]) -> None:
        self.behind, self._passes = ring, passes
        self.bell, self.room = ring.bell, ring.room

    def __len__(self) -> int:
        return len(self.behind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    def put(self, item: Any) -> bool:
        return self._passes(self.behind, item)

    def peek(self) -> Any:
        return self.behind.peek()

    def take(self) -> Any:
        return self.behind.take()


def joints(stages: list[Stage]) -> Iterator[Joint]:
    """Every ring between two stages, and those for news."""
    readers = {id(ring): stage.name for stage in stages for ring in stage.inboxes}
    for stage in stages:
        for attribute, ring in list(vars(stage).items()):
            if not isinstance(ring, Ring):
                continue
            ring = innermost(ring)
            reader = NEWS if attribute == NEWS else readers.get(id(ring))
            if reader is not None and ring not in stage.inboxes:
                yield Joint(stage, attribute, ring, f"{stage.name}→{reader}")


def innermost(ring: Ring[Any]) -> Ring[Any]:
    """The ring itself, behind all taps."""
    return innermost(ring.behind) if isinstance(ring, Tap) else ring


def tap(joint: Joint, passes: Callable[[Ring[Any], Any], bool]) -> None:
    """Let everything that the stage puts in the ring go through `passes`."""
    before = getattr(joint.writer, joint.attribute)
    setattr(joint.writer, joint.attribute, Tap(before, passes))
