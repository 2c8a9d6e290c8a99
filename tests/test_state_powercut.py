"""A thousand cuts of power while the toy remembers things: nothing is lost that was promised."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.powercut.files import Call, Disk, traced
from tests.powercut.writer import complaint

ROOT = Path(__file__).parent.parent
CUTS = 1000
FACTS = 120

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace: apt install strace")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that no disk slows down, where there is such a thing."""
    fast = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else tmp_path) as name:
        yield Path(name)


def recorded(folder: Path, how: str) -> tuple[Path, list[Call]]:
    """What a writer asked of its files, and in which folder."""
    kept = folder / "kept"
    kept.mkdir()
    command = [sys.executable, "-m", "tests.powercut.writer", str(kept), str(FACTS), how]
    return kept, traced(command, folder / "trace")


def complaints(folder: Path, how: str, cuts: int, seed: int = 7) -> list[str]:
    """What was found wrong after each cut, nothing where all was well."""
    kept, calls = recorded(folder, how)
    dice, found, after = random.Random(seed), [], folder / "after"
    for at in sorted(dice.randrange(len(calls) + 1) for _ in range(cuts)):
        disk = Disk(kept)
        for call in calls[:at]:
            disk.take(call)
        shutil.rmtree(after, ignore_errors=True)
        after.mkdir()
        for name, content in disk.after_a_cut(dice).items():
            (after / name).write_bytes(content)
        found.append(complaint(after, disk.promised))
    return found


def test_nothing_that_was_promised_is_lost_in_a_thousand_cuts(memory: Path) -> None:
    found = complaints(memory, "good", CUTS)
    assert not [one for one in found if one]
    assert len(found) == CUTS


@pytest.mark.parametrize("how", ["no flush", "no folder flush", "in place"])
def test_a_careless_writer_is_found_out(how: str, memory: Path) -> None:
    found = complaints(memory, how, CUTS // 10)
    assert sum(bool(one) for one in found) >= 3, "so many of a hundred cuts must show it"


def test_the_record_is_what_the_process_did(memory: Path) -> None:
    kept, calls = recorded(memory, "good")
    disk = Disk(kept)
    for call in calls:
        disk.take(call)
    assert disk.promised == FACTS
    disk.folder.flush()
    for file in disk.folder.kept.values():
        file.flush()
    written = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert {name: bytes(file.kept) for name, file in disk.folder.kept.items()} == written
