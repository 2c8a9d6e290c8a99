"""What an idle toy costs: python -m tools.bench.silence [--seconds 60] [--card]

Nobody speaks for a minute, in real time, and the processor time of the whole process is counted, all threads of all
libraries included, in percent of one core. The board's budget says what is allowed. With --card the same goes through
PortAudio and a virtual sound card.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from epsilon.clock import MonotonicClock
from epsilon.config.board import Audio, Board, load_board
from epsilon.config.character import Idle, load_character
from epsilon.devices import Card
from epsilon.devices.portaudio import PortAudioCard
from epsilon.devices.wav import WavCard
from epsilon.ring import Samples
from epsilon.toy import Toy, running
from tests import virtual_card
from tools.bench import print_table

RATE_HZ = 16_000
SETTLE_S = 2.0  # the threads have started and the first windows are judged
ROOM_DB = -55.0  # of full scale: a quiet room through a cheap microphone


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of silence, for each row (default: 60)")
    parser.add_argument("--board", default="host")
    parser.add_argument("--card", action="store_true", help="also through a virtual sound card")
    chosen = parser.parse_args()
    board = load_board(chosen.board)
    rows = [
        ("digital silence", idle_percent(board, silence(chosen.seconds), chosen.seconds)),
        (f"a room at {ROOM_DB:.0f} dB", idle_percent(board, room(chosen.seconds), chosen.seconds)),
    ]
    if chosen.card:
        with tempfile.TemporaryDirectory() as folder, virtual_card.virtual_card(Path(folder) / "card"):
            rows.append(("digital silence, virtual card", idle_percent(board, None, chosen.seconds)))
    print_table(
        ("one minute of" if chosen.seconds == 60 else f"{chosen.seconds:.0f} s of", "% of a core"), rows
    )
    print(f"budget of board {board.name}: {board.budget.idle_cpu_percent} %")


def idle_percent(board: Board, recording: Samples | None, seconds: float) -> float:
    """Processor time over wall-clock time of a toy to whom nobody speaks; without a recording, on the card."""
    clock = MonotonicClock()
    quiet = replace(load_character(board.character), idle=Idle())  # what it says by itself is no idleness
    toy = Toy(board, quiet, _card(board.audio, recording, clock), clock)
    with running(toy):
        began_s, used_s = 0.0, 0.0
        for wait_s in (SETTLE_S, seconds):
            began_s, used_s = time.monotonic(), time.process_time()
            with contextlib.suppress(StopIteration):
                heard = next(_watched(toy, wait_s))
                raise SystemExit(f"it was not silent: {heard}")
        return 100 * (time.process_time() - used_s) / (time.monotonic() - began_s)


def _card(audio: Audio, recording: Samples | None, clock: MonotonicClock) -> Card:
    if recording is not None:
        return WavCard(audio, clock, recording)
    return PortAudioCard(dataclasses.replace(audio, card=virtual_card.CARD), clock)


def _watched(toy: Toy, seconds: float) -> Iterator[str]:
    """What happened within the time; the thread sleeps through it."""
    for news in toy.watch(seconds):
        yield f"{news.what} {news.text}"


def silence(seconds: float) -> Samples:
    """Zeros [n], longer than they are needed."""
    return np.zeros(round((seconds + 2 * SETTLE_S) * RATE_HZ), np.float32)


def room(seconds: float) -> Samples:
    """Noise [n] of a quiet room."""
    noise = np.random.default_rng(1).standard_normal(len(silence(seconds)))
    return (noise * 10 ** (ROOM_DB / 20)).astype(np.float32)


if __name__ == "__main__":
    main()
