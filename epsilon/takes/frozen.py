"""What a toy remembers, as plain values by their paths: taken out of one toy, put into another that was built alike.

No code is kept and none is run: objects are of the program's own classes, and made without calling them. What is no
plain value (a model in its runtime, a thread, a file) is left as the new toy has it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from random import Random
from typing import Any

import numpy as np

from epsilon.clock import ManualClock, MonotonicClock
from epsilon.engines.llm.chat import Chat
from epsilon.realtime import Seat
from epsilon.ring import Bell, Ring, SampleRing
from epsilon.stage import Stage
from epsilon.takes.checks import TakeError
from epsilon.takes.written import Json
from epsilon.toy import Toy

OURS = "epsilon."
NOT_OURS_TO_KEEP = tuple(
    f"epsilon.{name}." for name in ("config", "runtimes", "takes", "devices", "hardware")
)
UNKEPT = (Bell, Ring, SampleRing, Chat, Seat, ManualClock, MonotonicClock, Toy)
ENGINES = frozenset(("recognizer", "model", "synthesizer", "detector", "canceller", "sequence", "persona"))
PASSING = {"answer", "hearing", "heard_from", "busy_since_s"}  # at rest these are of no more use
JOINTS = {"watchers", "inboxes", "outbox", "news", "on_exit"}
REAL = "_real"  # where what stands before something has it


class Arrays:
    """Arrays beside the JSON that names them by their place."""

    def __init__(self, arrays: list[np.ndarray] | None = None) -> None:
        self.all: list[np.ndarray] = arrays or []

    def add(self, array: np.ndarray) -> int:
        """Keep a copy; returns its place."""
        self.all.append(array.copy())
        return len(self.all) - 1


def remembered(toy: Toy) -> Iterator[tuple[str, Any]]:
    """Everything plain that a toy's stages, its turn and its journal remember, by path."""
    seen: set[int] = set()
    for stage in toy.stages:
        yield from _walk(stage, stage.name, seen)
    yield from _walk(toy.journal, "journal", seen)


def put(toy: Toy, path: str, value: Any) -> None:
    """Set one remembered value; TakeError when the toy has no such place."""
    first, *between, last = path.split(".")
    found: Any = (
        toy.journal if first == "journal" else next((one for one in toy.stages if one.name == first), None)
    )
    for name in between:
        inside = name.isdigit() and isinstance(found, list) and int(name) < len(found)
        found = _behind(found[int(name)] if inside else getattr(found, name, None))
    if found is None or not hasattr(found, last):
        raise TakeError(f"this toy has no {path}", hint="the snapshot is another program's")
    object.__setattr__(found, last, value)


def _walk(thing: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    for name, value in _attributes(thing):
        if _is_plain(value):
            yield f"{path}.{name}", value
        elif _is_kept(value):
            yield from _walk(value, f"{path}.{name}", seen)
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                inner = _behind(inner)
                if _is_kept(inner):
                    yield from _walk(inner, f"{path}.{name}.{place}", seen)


def _behind(thing: Any) -> Any:
    """What a witness or a timer stands before."""
    while REAL in getattr(thing, "__dict__", ()):
        thing = vars(thing)[REAL]
    return thing


def _attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    named = [field.name for field in fields(thing)] if is_dataclass(thing) else []
    names = [*getattr(thing, "__dict__", named)]
    skipped = PASSING | JOINTS | ENGINES if isinstance(thing, Stage) else frozenset[str]()
    for name in sorted(names):
        if name not in skipped:
            yield name, _behind(getattr(thing, name))


def _is_kept(thing: Any) -> bool:
    """True for an object whose attributes are looked at."""
    module = type(thing).__module__
    ours = module.startswith(OURS) and not f"{module}.".startswith(NOT_OURS_TO_KEEP)
    return ours and not isinstance(thing, UNKEPT) and not isinstance(thing, type) and not callable(thing)


def _is_plain(value: Any) -> bool:
    """True for what is kept whole, in one piece."""
    if value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic | Enum | Random):
        return not isinstance(value, np.ndarray) or value.dtype != object
    if isinstance(value, tuple | list | deque | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(inner) for key, inner in value.items())
    if is_dataclass(value) and not isinstance(value, type) and _is_kept(value):
        return all(_is_plain(getattr(value, field.name)) for field in fields(value))
    return False


def frozen(value: Any, arrays: Arrays) -> Any:
    """A plain value as JSON."""
    if value is None or isinstance(value, bool | str) or type(value) in (int, float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return {"array": arrays.add(np.asarray(value)), "scalar": isinstance(value, np.generic)}
    if isinstance(value, Enum):
        return {"enum": _name(type(value)), "is": value.name}
    if isinstance(value, Random):
        return {"random": frozen(value.getstate(), arrays)}
    if isinstance(value, dict):
        return {"dict": [[frozen(key, arrays), frozen(inner, arrays)] for key, inner in value.items()]}
    if is_dataclass(value):
        told = {field.name: frozen(getattr(value, field.name), arrays) for field in fields(value)}
        return {"object": _name(type(value)), "has": told}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": _name(type(value)), "has": [frozen(inner, arrays) for inner in value]}
    return {type(value).__name__: [frozen(inner, arrays) for inner in value]}


def thawed(told: Any, arrays: Arrays) -> Any:
    """The value again. What stands in a file was not written by us, perhaps: TakeError for what is none."""
    if not isinstance(told, dict):
        return told
    kind = next(iter(told), "")
    inner = told.get(kind)
    if kind == "array" and type(inner) is int and 0 <= inner < len(arrays.all):
        array = arrays.all[inner]
        return array[()] if told.get("scalar") else array
    if kind == "enum":
        return _class(inner, Enum)[str(told.get("is"))]
    if kind == "random":
        random = Random()
        random.setstate(thawed(inner, arrays))
        return random
    if kind == "dict" and isinstance(inner, list):
        return {thawed(key, arrays): thawed(value, arrays) for key, value in inner}
    if kind == "object":
        made = object.__new__(_class(inner, object))
        for name, value in told["has"].items():
            object.__setattr__(made, name, thawed(value, arrays))
        return made
    if kind == "named":
        return tuple.__new__(_class(inner, tuple), [thawed(value, arrays) for value in told["has"]])
    if kind in PLAIN and isinstance(inner, list):
        return PLAIN[kind](thawed(value, arrays) for value in inner)
    raise TakeError(f"no such kind of value: {kind!r:.40}")


PLAIN: dict[str, Any] = {"tuple": tuple, "list": list, "deque": deque, "set": set, "frozenset": frozenset}


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: Any, base: type) -> Any:
    """A class of the program's own, by its name."""
    module, _, within = str(name).partition(":")
    found = getattr(sys.modules.get(module) if module.startswith(OURS) else None, within, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise TakeError(f"no such class: {name!r:.80}")
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are alike, arrays included."""
    a, b = Arrays(), Arrays()
    return frozen(one, a) == frozen(other, b) and all(map(_equal, a.all, b.all))


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def differences(toy: Toy, at_start: dict[str, Any]) -> tuple[Json, Arrays]:
    """What a toy remembers that it did not remember when it was built."""
    arrays = Arrays()
    told = {
        path: value
        for path, value in remembered(toy)
        if path not in at_start or not same(value, at_start[path])
    }
    return {path: frozen(value, arrays) for path, value in told.items()}, arrays


def start_of(toy: Toy) -> dict[str, Any]:
    """What a toy remembers when it is built, to be compared with later."""
    arrays = Arrays()
    return {path: thawed(frozen(value, arrays), arrays) for path, value in remembered(toy)}
