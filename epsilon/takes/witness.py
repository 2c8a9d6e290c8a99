"""Witnesses: they stand before the clock, the card, the hands or the mouth of a stage and note what it reads.

What a stage does follows from the messages it takes and from these readings. With both kept, the work of threads can
be done again by one caller, as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Note = Callable[[str, Any], None]  # what was read, and what it said


class Witness:
    """Passes everything on to `real`; results of the named methods and the named properties are noted."""

    def __init__(
        self, real: Any, note: Note, methods: Sequence[str] = (), properties: Sequence[str] = ()
    ) -> None:
        self._real, self._note = real, note
        self._methods, self._properties = frozenset(methods), frozenset(properties)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name in self._properties:
            self._note(name, value)
        if name not in self._methods:
            return value

        def called(*given: Any) -> Any:
            result = value(*given)
            self._note(name, result)
            return result

        return called


class Retold:
    """Answers as it was noted, for as long as there are notes; then as `real` does.

    `tell(name)` gives the next note under that name in a list of one, or an empty list when there is none. With
    `also`, a call is made on `real` too, because it changes something there.
    """

    def __init__(
        self,
        real: Any,
        tell: Callable[[str], list[Any]],
        methods: Sequence[str] = (),
        properties: Sequence[str] = (),
        also: Sequence[str] = (),
    ) -> None:
        self._real, self._tell, self._also = real, tell, frozenset(also)
        self._methods, self._properties = frozenset(methods), frozenset(properties)

    def __getattr__(self, name: str) -> Any:
        if name in self._properties:
            told = self._tell(name)
            return told[0] if told else getattr(self._real, name)
        value = getattr(self._real, name)
        if name not in self._methods:
            return value

        def called(*given: Any) -> Any:
            told = self._tell(name)
            if told and name not in self._also:
                return told[0]
            result = value(*given)
            return told[0] if told else result

        return called


def noting(real: Any, note: Note, methods: Sequence[str] = (), properties: Sequence[str] = ()) -> Any:
    """A Witness, which stands for whatever `real` is."""
    return Witness(real, note, methods, properties)


def retelling(
    real: Any,
    tell: Callable[[str], list[Any]],
    methods: Sequence[str] = (),
    properties: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Any:
    """A Retold, which stands for whatever `real` is."""
    return Retold(real, tell, methods, properties, also)
