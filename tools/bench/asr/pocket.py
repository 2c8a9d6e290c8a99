"""The pocket ears as they ship: finals and streaming of speech, on every runtime."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from epsilon.config.board import Board
from epsilon.config.models import find_model
from epsilon.ring import Samples
from tools.bench.asr import HOP_S, SECONDS, STREAM_SECONDS
from tools.bench.asr.shapes import OWN, RUNTIMES, own_worker
from tools.bench.asr.sounds import exactly, kept
from tools.bench.peers.comparison import Goal, Subject, interleaved, print_times, ratios

GRAPHS = ("encoder 4 s", "decoder 1", "decoder 14")
STREAMING_LIMIT = 0.05  # share of a core


def pocket(board: Board, sounds: list[Samples], scratch: Path, rounds: int) -> list[Goal]:
    """Measures the recogniser that the board names and prints its table."""
    name = str(board.stages["asr"].model)
    folder = find_model(name).folder
    sound = kept(scratch, "speech", exactly(sounds[0], SECONDS))
    speech = exactly(np.concatenate(sounds[:2]), STREAM_SECONDS)
    with contextlib.ExitStack() as stack:
        own = {runtime: stack.enter_context(own_worker(folder, runtime, scratch)) for runtime in RUNTIMES}
        rows = [
            Subject(f"{runtime}: {title}", own[runtime], task)
            for runtime in RUNTIMES
            for task, title in [*OWN.items(), *zip(GRAPHS, GRAPHS, strict=True)]
        ]
        interleaved(rows, sound, rounds)
        print_times(f"{name}: {SECONDS:.0f} s of speech, one thread", rows, rows[0], rows[0].text)
        stream = Subject(f"{STREAM_SECONDS:.0f} s in hops of {HOP_S} s", own["onnx"], "stream")
        interleaved([stream], kept(scratch, "long speech", speech), rounds)
    shares = [cpu_ms / 1000 / STREAM_SECONDS for cpu_ms in stream.cpu_ms]
    return [
        Goal(f"{name}: final, all heard already / cold final", ratios(rows[2], rows[0]), 0.12),
        Goal(f"{name}: share of a core while streaming", shares, STREAMING_LIMIT),
    ]
