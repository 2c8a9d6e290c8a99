"""Time to first utterance: python -m tools.bench.tifu [NAME …] [--repeats 3] [--openers]

Plays takes in real time, each run a process of its own as `epsilon emulate` starts it, and prints TIFU for each answer
with its parts, from the last sample of the user's speech to the first audible sample that leaves the card. With
--openers each take is played twice, on a board that never uses recorded openers and on one that always may.
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
from epsilon.takes.checks import REALTIME
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
    parser.add_argument("--openers", action="store_true", help="with and without recorded openers")
    chosen = parser.parse_args()
    wanted = [take for take in takes() if not chosen.names or take.name in chosen.names]
    if chosen.openers:
        compare_openers(wanted, chosen.board, chosen.repeats)
        return
    runs = [(take, run(take, chosen.board)) for take in wanted for _ in range(chosen.repeats)]
    report(runs)


def compare_openers(wanted: list[Take], board: str, repeats: int) -> None:
    """First sound and answer, the two boards taking turns."""
    with tempfile.TemporaryDirectory() as folder:
        boards = {}
        for name, after in (("never", "5 s"), ("always", "0 ms")):
            boards[name] = Path(folder) / f"{name}.yaml"
            boards[name].write_text(f"extends: {board}\nturn: {{opener_after: {after}}}\n", encoding="utf-8")
        pairs: list[tuple[dict[str, float], dict[str, float]]] = []
        for take in wanted * repeats:
            never, always = (run(take, str(path))["turns"] for path in boards.values())
            both = zip((t["tifu"] for t in never), (t["tifu"] for t in always), strict=True)
            pairs += [pair for pair in both if all(tifu["answer_ms"] is not None for tifu in pair)]
    begun = [pair for pair in pairs if pair[1]["first_sound_ms"] < pair[1]["answer_ms"]]
    print(f"{len(begun)} of {len(pairs)} answers were begun by a recorded opener")
    if not begun:
        return
    rows: list[list[object]] = []
    for place, name in enumerate(boards):
        tifus = [pair[place] for pair in begun]
        columns = [
            [tifu[key] - tifu["dead_air_ms"] for tifu in tifus] for key in ("first_sound_ms", "answer_ms")
        ]
        rows.append([name, *map(statistics.median, columns)])
    print_table(("openers", "first sound", "answer"), rows)
    print("medians of these answers, milliseconds after the end of turn was decided")


def run(take: Take, board: str) -> dict[str, Any]:
    """The conversation that one run of the program leaves behind."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "epsilon", "emulate", str(take.folder / "in.wav")]
        options = ["--board", board, "--character", take.character, "--pace", REALTIME, "--out", folder]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads((Path(folder) / "conversation.json").read_text(encoding="utf-8"))
        return found


def report(runs: list[tuple[Take, dict[str, Any]]]) -> None:
    """A row for each answer, the medians, and what was lost and used over all runs."""
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
    _report_losses(conversations)


def _report_losses(conversations: list[dict[str, Any]]) -> None:
    """What was lost, late or left to do, and what the process used."""
    for count in ("overruns", "underruns", "stale", "laps"):
        print(f"{count}: {sum(conversation['counts'][count] for conversation in conversations)}")
    gaps_ms = [gap_ms for c in conversations for turn in c["turns"] for gap_ms in turn["gaps_ms"]]
    print(f"gaps between phrases: {len(gaps_ms)}, {sum(gaps_ms):.0f} ms in all")
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
