"""A thousand cuts of power below a real kernel's ext4 while the toy remembers things: no promise is broken."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from epsilon.config.folders import root
from tests.powercut import memory_guest
from tests.powercut.disk import RecordingDisk

CUTS = 1000
FACTS = 400
SEED = 11
pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts what is left of a disk: needs root"),
]


def complaints(folder: Path, how: str, cuts: int) -> list[str]:
    """What was found wrong with the disk after each cut, nothing where all was well."""
    if absent := memory_guest.missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    disk, record = folder / "disk", folder / "record"
    begin = memory_guest.blank(disk)
    with RecordingDisk(disk, folder / "nbd") as recording:
        memory_guest.remember(folder, recording, FACTS, how)
    assert memory_guest.promised(disk.read_bytes()) == FACTS
    record.write_bytes(pickle.dumps((begin, recording.log)))
    judge = [sys.executable, "-m", "tests.powercut.judge", str(record), str(cuts), str(SEED)]
    judged = subprocess.run(
        ["unshare", "--mount", *judge], cwd=root(), stdout=subprocess.PIPE, check=True, timeout=1200
    )
    found: list[str] = json.loads(judged.stdout)
    counted = Counter(one.split(",")[0] if one else "as promised" for one in found)
    sys.stdout.write(f"\n{how}: {len(recording.log)} writes and flushes, {cuts} cuts: {dict(counted)}\n")
    return found


def test_nothing_that_was_promised_is_lost_in_a_thousand_cuts(tmp_path: Path) -> None:
    found = complaints(tmp_path, "good", CUTS)
    assert not [one for one in found if one]
    assert len(found) == CUTS


def test_a_careless_writer_is_found_out(tmp_path: Path) -> None:
    """One that does not flush; ext4 is kind to others, which tests/test_state_powercut.py finds out."""
    found = complaints(tmp_path, "no flush", CUTS // 10)
    assert sum(bool(one) for one in found) >= 3, "so many of a hundred cuts must show it"
