"""Plays scenarios in lock-step and says what happened: python -m tools.scenarios [FILE …] [--out DIR]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from epsilon.audio_files import finished, save_wav
from epsilon.errors import EpsilonError
from tools.scenarios import load_scenario, scenarios
from tools.scenarios.performance import Failed, Performance
from tools.scenarios.table import lines, row_of


def main() -> int:
    """1 when a scenario did not go as it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="scenarios (default: all)")
    parser.add_argument(
        "--out", type=Path, help="also write both sides as NAME.wav and the time line as NAME.txt"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show the time line of those that went well too"
    )
    parser.add_argument("--table", action="store_true", help="print what each fault came to")
    options = parser.parse_args()
    failed, rows = 0, []
    for path in options.files or scenarios():
        try:
            performance, well = _play(path, options.out, options.verbose)
            failed += not well
            if performance.scenario.faults:
                rows.append(row_of(performance.scenario, performance.events))
        except EpsilonError as error:
            print(error, file=sys.stderr)
            return 1
    if options.table:
        print(*lines(rows), sep="\n")
    return int(failed > 0)


def _play(path: Path, out: Path | None, verbose: bool) -> tuple[Performance, bool]:
    scenario = load_scenario(path)
    performance = Performance(scenario)
    verdict, well = "ok", True
    try:
        performance.play()
    except Failed as failure:
        verdict, well = str(failure), bool(scenario.needs)
    print(f"{path.stem}: {verdict}")
    if verbose and verdict == "ok":
        print(performance.time_line())
    if out is not None:
        _write(performance, out, path.stem)
    return performance, well


def _write(performance: Performance, out: Path, name: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    reply = performance.card.reply()
    user = np.zeros_like(reply)
    user[: len(performance.card.recording)] = performance.card.recording
    with finished(out / f"{name}.wav") as file:
        save_wav(file, np.stack([user, reply], axis=1))
    (out / f"{name}.txt").write_text(performance.time_line() + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
