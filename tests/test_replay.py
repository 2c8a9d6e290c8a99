"""Replay: the whole toy with its real models on each take, against what it said when the reference was renewed.

References change by `make takes` alone. Words and decisions must be the same on every machine; times may move a
little, because processors round differently and a voice's pauses follow from rounded numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from epsilon.config.folders import character_names
from tools.takes import Take, essence, takes

TIME_S = 0.1
PREFILL_LEFT_TOKENS = 8  # when the user stops speaking, the mind has digested all but these


@pytest.mark.parametrize("take", takes(), ids=lambda take: take.name)
def test_a_take_is_answered_as_before_and_twice_alike(take: Take) -> None:
    once, again = take.emulate(), take.emulate()
    assert once.conversation == again.conversation
    np.testing.assert_array_equal(once.reply, again.reply)
    assert all(turn["prefill_left"] <= PREFILL_LEFT_TOKENS for turn in once.conversation["turns"])
    found, wanted = dict(flat(essence(once))), dict(flat(take.reference()))
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if name.endswith("_s") and value is not None:
            assert found[name] == pytest.approx(value, abs=TIME_S), name
        else:
            assert found[name] == value, name


def test_every_character_has_a_take() -> None:
    assert {take.character for take in takes()} >= set(character_names())


def test_every_take_says_why_it_exists() -> None:
    assert len(takes()) >= 3
    for take in takes():
        assert re.search(r"\w{3,}", (take.folder / "about.md").read_text(encoding="utf-8"))


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested dictionaries and lists with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}")
    elif isinstance(value, list):
        yield name, len(value)
        for place, inner in enumerate(value):
            yield from flat(inner, f"{name}[{place}]")
    else:
        yield name, value
