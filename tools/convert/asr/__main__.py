"""Makes a recogniser's model folder: `python -m tools.convert.asr FOLDER --out models/NAME`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.errors import EpsilonError
from tools.convert.asr import Options, convert


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and converts; 0, or 2 after one message when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.asr", description=__doc__)
    parser.add_argument("folder", type=Path, help="a Hugging Face Whisper or distil-whisper folder")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to make")
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--int8", action="store_true", help="int8 weights (the default)")
    precision.add_argument("--float32", action="store_true", help="weights as they are")
    parser.add_argument("--openvino", action="store_true", help="also .xml with int8 weights for OpenVINO")
    parser.add_argument("--language", default="en", help="of a checkpoint that knows several (default: en)")
    parser.add_argument("--task", choices=("transcribe", "translate"), default="transcribe")
    parser.add_argument(
        "--calibration", type=Path, help="folder of recorded speech (default: said by flite or espeak-ng)"
    )
    parser.add_argument(
        "--min-context", type=int, metavar="S", help="smallest context in s; not measured then"
    )
    parser.add_argument("--licence", default="unknown", help="of the checkpoint, for the manifest")
    parser.add_argument("--source", default="", help="where the checkpoint comes from")
    given = parser.parse_args(arguments)
    options = Options(
        precision="float32" if given.float32 else "int8",
        openvino=given.openvino,
        language=given.language,
        task=given.task,
        calibration=given.calibration,
        min_context_s=given.min_context,
        licence=given.licence,
        source=given.source,
    )
    try:
        convert(given.folder, given.out, options, lambda line: print(line, flush=True))
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
