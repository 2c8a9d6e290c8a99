"""Print the words in audio files, one line a file: the toy's ears alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.ears import with_ears


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, on which board's settings."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="WAV or FLAC, any rate, mono or stereo"
    )
    parser.add_argument("--board", default="host", help="whose recogniser is used (default: host)")
    parser.add_argument(
        "--ears", metavar="NAME", help="a model of `epsilon models list` (default: the board's own)"
    )


def run(chosen: argparse.Namespace) -> int:
    """`FILE: words` for every file, in order. Every file is read before the first is recognised."""
    from epsilon.audio_files import read_audio
    from epsilon.organs import Ears

    recordings = [(path, read_audio(path)) for path in chosen.files]
    ears = Ears(with_ears(load_board(chosen.board), chosen.ears))
    for path, samples in recordings:
        print(f"{path}: {ears.words(samples)}", flush=True)
    return 0
