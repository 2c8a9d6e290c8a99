"""The factory self-test: is everything in this toy as it must be? Each module of items/ checks one thing.

An item has `ORDER` (the lower comes first), `SPOKEN` (what it is called aloud) and `check(bench) -> Found`. What the
board lacks by its file is skipped; what it should have and does not give is a failure, and so is any EpsilonError.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from epsilon import __version__
from epsilon.config.folders import module_names
from epsilon.errors import EpsilonError
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import FAIL, PASS, Found, failed


class Item(Protocol):
    """A module of epsilon/selftest/items."""

    ORDER: int
    SPOKEN: str

    def check(self, bench: Bench) -> Found:
        """Look at one thing of the toy on the bench."""


class Result(NamedTuple):
    """What was found at an item, and how long it took."""

    item: str
    found: Found
    took_s: float

    def line(self) -> str:
        """One line of JSON."""
        said = {"item": self.item, "verdict": self.found.verdict, "what": self.found.what}
        return json.dumps(said | self.found.figures | {"took_s": round(self.took_s, 2)})


def item_names() -> list[str]:
    """Every item there is, in the order of the test."""
    return sorted(module_names("selftest", "items"), key=lambda name: (item(name).ORDER, name))


def item(name: str) -> Item:
    """The item of that name."""
    found: Item = importlib.import_module(f"epsilon.selftest.items.{name}")
    return found


def run_all(bench: Bench, names: Sequence[str], line: Callable[[str], object]) -> bool:
    """Check these items, hand a line of JSON to `line` for each and one for the whole, say the verdict aloud.

    True when all is well.
    """
    results = []
    for name in names:
        results.append(examine(bench, name))
        line(results[-1].line())
    bad = [result.item for result in results if result.found.verdict == FAIL]
    bench.say("fail", *bad) if bad else bench.say("pass")
    whole = {"item": "all", "verdict": FAIL if bad else PASS, "failed": bad, "board": bench.board.name}
    took_s = round(bench.took_s(), 1)
    line(json.dumps(whole | {"character": bench.character.name, "version": __version__, "took_s": took_s}))
    return not bad


def examine(bench: Bench, name: str) -> Result:
    """Check one item; when no time is left it fails unchecked."""
    began_s = bench.clock.now()
    found = _checked(bench, name)
    return Result(name, found, bench.clock.now() - began_s)


def _checked(bench: Bench, name: str) -> Found:
    if bench.left_s() <= 0:
        return failed("not begun: the time for the whole test was over")
    try:
        return item(name).check(bench)
    except EpsilonError as mistake:
        return failed(str(mistake))
