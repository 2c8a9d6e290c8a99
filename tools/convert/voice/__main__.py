"""Cuts a Kokoro-type voice for windows: `python -m tools.convert.voice models/NAME`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.errors import EpsilonError
from tools.convert.voice import Report, convert
from tools.convert.voice.measuring import Deviation


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and converts; 0, or 2 after one message when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.voice", description=__doc__)
    parser.add_argument("folder", type=Path, help="the published graph and its file of voices")
    given = parser.parse_args(arguments)
    try:
        report = convert(given.folder, lambda line: print(line, flush=True))
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    print_report(report)
    return 0


def print_report(report: Report) -> None:
    """What it costs to speak in windows."""
    sight = report.sight
    print(
        f"a window is decoded with {sight.left} frames before and {sight.right} after it, of {report.hop} samples"
    )
    print("beside the published graph:")
    print(f"  said in windows          {_line(report.cut)}")
    print(f"  said again by the graph  {_line(report.twice)}, for its noise is drawn anew each time")


def _line(found: Deviation) -> str:
    return (
        f"spectra {found.spectral_db:.1f} dB apart, {found.level_db:+.1f} dB loud, "
        f"error {found.error_db:+.1f} dB of the sound"
    )


if __name__ == "__main__":
    sys.exit(main())
