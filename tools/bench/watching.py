"""What it costs to be watched: python -m tools.bench.watching [TAKE] [--rounds 10]

A reference take is played in lock-step with nothing kept, with the conversation kept (`--take`) and with the trace
for the report as well (`--out`), in turns, and the processor time of the process is counted: in seconds, and what
watching adds in percent of a core while the toy talks in real time. Off, nothing of either is there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.runner import Emulation
from epsilon.takes.checks import LOCKSTEP
from tools.bench import print_table
from tools.takes import FOLDER, takes

RATE_HZ = 16_000
WAYS = {"nothing": (False, False), "a take": (True, False), "take and trace": (True, True)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "take", nargs="?", default="three-turns", help="of tests/takes (default: three-turns)"
    )
    parser.add_argument("--rounds", type=int, default=10, metavar="N")
    chosen = parser.parse_args()
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    played(chosen.take, False, False)  # the first pays for what is loaded once
    for _ in range(chosen.rounds):
        for way, watched in WAYS.items():
            spent[way].append(played(chosen.take, *watched))
    plain, length_s = spent["nothing"], len(read_audio(FOLDER / chosen.take / "in.wav")) / RATE_HZ
    rows = []
    for way, seconds in spent.items():
        more_s = statistics.median(one - other for one, other in zip(seconds, plain, strict=True))
        rows.append(
            (way, f"{statistics.median(seconds):.3f}", f"{more_s:+.3f}", f"{100 * more_s / length_s:+.2f}")
        )
    print_table((f"{length_s:.1f} s, kept:", "CPU s", "more (of pairs)", "% of a core"), rows)


def played(name: str, kept: bool, traced: bool) -> float:
    """Processor seconds of a run, without its loading and without writing what was kept."""
    take = next(take for take in takes() if take.name == name)
    recording = read_audio(take.folder / "in.wav")
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "take" if kept else None
        emulation = Emulation(
            load_board("host"), load_character(take.character), [recording], LOCKSTEP, where, traced
        )
        begun_s = time.process_time()
        emulation.run(lambda news: None)
        return time.process_time() - begun_s


if __name__ == "__main__":
    main()
