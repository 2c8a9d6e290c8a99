"""Makes what the comparison needs: the peers' environment, and a Kokoro of RANDOM weights, whole and cut."""

from __future__ import annotations

import sys
from pathlib import Path

from epsilon.engines.tts.kokoro_files import is_cut
from tools.bench.peers.environment import NotPrepared, environment, run_module
from tools.bench.tts.random_kokoro import GRAPH, VOICES

LOCK = Path(__file__).with_name("peers.lock")
PUBLISHED, CUT = "published", "cut"


def peers_environment(folder: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there."""
    return environment(folder, LOCK, "kokoro-onnx, and what exports a Kokoro, some 3 GB with PyTorch")


def kokoro(folder: Path, python: Path) -> tuple[Path, Path]:
    """Two voice folders with the same files: as they would be fetched, and cut besides."""
    published, cut = folder / PUBLISHED, folder / CUT
    published.mkdir(parents=True, exist_ok=True)
    cut.mkdir(exist_ok=True)
    if not (published / GRAPH).exists():
        program = ["tools.bench.tts.random_kokoro", str(published.resolve())]
        run_module(python, program, folder, "a Kokoro of RANDOM weights (a minute)")
    for name in (GRAPH, VOICES):
        if not (cut / name).exists():
            (cut / name).hardlink_to(published / name)
    if not is_cut(cut):
        program = ["tools.convert.voice", str(cut.resolve())]
        run_module(Path(sys.executable), program, folder, "the same in windows (two minutes)")
    if not is_cut(cut):
        raise NotPrepared(f"{cut} was not cut; see {folder / 'making.log'}")
    return published, cut
