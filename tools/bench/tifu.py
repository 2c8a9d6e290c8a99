"""Time to first utterance: python -m tools.bench.tifu [NAME …] [--repeats 3]

Plays takes in real time, each run a process of its own as `epsilon emulate` starts it, and prints TIFU for each answer
with its parts, from the last sample of the user's speech to the first audible sample that leaves the card.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.emulation.conversation import TIFU_NAMES
from epsilon.emulation.runner import REALTIME
from tools.bench import print_table
from tools.takes import Take, takes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a folder of tests/takes (default: all)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each take (default: 3)")
    parser.add_argument("--board", default="host")
    chosen = parser.parse_args()
    wanted = [take for take in takes() if not chosen.names or take.name in chosen.names]
    runs = [(take, run(take, chosen.board)) for take in wanted for _ in range(chosen.repeats)]
    report(runs)


def run(take: Take, board: str) -> dict[str, Any]:
    """The conversation that one run of the program leaves behind."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "epsilon", "emulate", str(take.folder / "in.wav")]
        options = ["--board", board, "--character", take.character, "--pace", REALTIME, "--out", folder]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads((Path(folder) / "conversation.json").read_text(encoding="utf-8"))
        return found


def report(runs: list[tuple[Take, dict[str, Any]]]) -> None:
    """A row for each answer, the medians, and what the process used and lost."""
    answers = [
        (f"{take.name} {turn['turn']}", turn["tifu"])
        for take, conversation in runs
        for turn in conversation["turns"]
        if turn["tifu"]["answer_ms"] is not None
    ]
    names = [name for name in TIFU_NAMES if name != "first_sound_ms"]
    rows: list[list[object]] = [[name, *(tifu[part] for part in names)] for name, tifu in answers]
    rows.append(["median", *(statistics.median(tifu[part] for _, tifu in answers) for part in names)])
    rows.append(["worst", *(max(tifu[part] for _, tifu in answers) for part in names)])
    print_table(("answer", *(name.removesuffix("_ms").replace("answer", "TIFU") for name in names)), rows)
    conversations = [conversation for _, conversation in runs]
    turns = sum(len(conversation["turns"]) for conversation in conversations)
    cut_ins = sum(turn["cut_in"] for conversation in conversations for turn in conversation["turns"])
    print(
        f"milliseconds; {len(answers)} answers to {turns} turns in {len(runs)} runs, {cut_ins} false cut-ins"
    )
    for count in ("overruns", "underruns", "stale", "laps"):
        print(f"{count}: {sum(conversation['counts'][count] for conversation in conversations)}")
    left = [turn["prefill_left"] for c in conversations for turn in c["turns"] if turn["prefill_left"] >= 0]
    print(
        f"tokens left to prefill when the user stopped: median {statistics.median(left):.0f}, "
        f"95th percentile {np.percentile(left, 95):.0f}, most {max(left)}"
    )
    print(f"most memory: {max(c['process']['rss_mb'] for c in conversations):.0f} MB")
    share = sum(c["process"]["cpu_s"] for c in conversations) / sum(
        c["process"]["wall_s"] for c in conversations
    )
    print(f"processor: {100 * share:.0f} % of a core over all runs")


if __name__ == "__main__":
    main()
