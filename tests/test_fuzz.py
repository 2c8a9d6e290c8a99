"""Whatever stands in a file, reading it gives a value or a clear error; what once broke a reader is tried for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as draw

from tools import fuzz
from tools.fuzz.edits import KINDS, Edit, edited

TRIES = 60
edits = draw.lists(
    draw.builds(Edit, draw.sampled_from(KINDS), draw.floats(0, 1), draw.integers(0, 2**32 - 1)),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("name", fuzz.names())
def test_good_files_are_read(name: str, tmp_path: Path) -> None:
    target = fuzz.find(name)
    assert target.seeds()
    for seed in target.seeds():
        assert fuzz.attempt(target, seed, tmp_path) == ""


@pytest.mark.parametrize("name", fuzz.names())
@settings(max_examples=TRIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=draw.integers(0, 100), changes=edits)
def test_spoilt_files_are_read_or_refused(name: str, tmp_path: Path, which: int, changes: list[Edit]) -> None:
    target = fuzz.find(name)
    seeds = target.seeds()
    said = fuzz.attempt(target, edited(seeds[which % len(seeds)], changes, target.WORDS), tmp_path)
    assert "Traceback" not in said


@pytest.mark.parametrize("name", fuzz.names())
def test_what_once_broke_a_reader(name: str, tmp_path: Path) -> None:
    for path in fuzz.kept(name):
        fuzz.attempt(fuzz.find(name), path.read_bytes(), tmp_path)
