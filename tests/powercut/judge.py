"""Cuts the power of a recorded disk again and again and says what is wrong with what is left, as JSON, a text a cut.

python -m tests.powercut.judge RECORD CUTS SEED, by root, in a mount namespace of its own: what it mounts goes with it.
"""

from __future__ import annotations

import json
import logging
import pickle
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.powercut import memory_guest
from tests.powercut.disk import cut
from tests.powercut.writer import complaint


def main() -> None:
    """Judge, print."""
    record, cuts, seed = sys.argv[1:]
    logging.disable(logging.WARNING)  # of lines that are not whole: that is what is done here
    begin, log = pickle.loads(Path(record).read_bytes())
    dice, found = random.Random(int(seed)), []
    with tempfile.TemporaryDirectory() as name:
        disk, mounted = Path(name) / "disk", Path(name) / "mounted"
        mounted.mkdir()
        for _ in range(int(cuts)):
            left = cut(begin, log, dice.randrange(len(log) + 1), dice)
            disk.write_bytes(left)
            found.append(judged(disk, mounted, memory_guest.promised(left)))
    sys.stdout.write(json.dumps(found))


def judged(disk: Path, mounted: Path, promised: int) -> str:
    """What is wrong with a disk on which so much was promised."""
    if subprocess.run(["mount", "-o", "loop", "-t", "ext4", disk, mounted], check=False).returncode:
        return "it cannot be mounted"
    try:
        return complaint(mounted, promised)
    finally:
        subprocess.run(["umount", mounted], check=True)


if __name__ == "__main__":
    main()
