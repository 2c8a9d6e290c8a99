"""From start to listening: python -m tools.bench.start [--board host] [--repeats 5] [--card]

Starts `epsilon emulate` as people start it, and takes the time from the process's birth to the line that says that the
toy listens. It must be at most 2 s on the host. Once it is started warm, as in a second start, and once cold: the files
of Python, of the program, its packages and its models are put out of the system's memory before (as far as no other
program holds them). With --card it is `epsilon talk` and `epsilon run` on a virtual sound card as well. The processor's
time says how much of it is work: a busy machine takes longer for the same. Then one start is taken apart.
"""

from __future__ import annotations

import argparse
import os
import site
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from epsilon import duplex
from epsilon.audio_files import write_wav
from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.duplex import Acoustics, Duplex
from tests import virtual_card
from tools.bench import count, print_table

LIMIT_S = 2.0
WORD = "is listening"
FOLDERS = ("epsilon", "boards", "characters", "models")
PARTS = """
import sys, time
marks = []
def mark(name): marks.append((name, time.monotonic()))
mark("")
import epsilon.__main__
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
mark("imports: the files of boards and characters")
board = load_board(sys.argv[1]); character = load_character(board.character); check_pair(board, character)
mark("reading and checking board, character, manifest")
import numpy, onnxruntime, epsilon.toy
from epsilon.clock import MonotonicClock
from epsilon.devices.wav import WavCard
mark("imports: the toy and its libraries")
from epsilon import parts, toy
for stage, settings in board.stages.items():
    if settings.engine:
        parts.load_engine(board, stage)
        mark(f"loading {settings.engine} for {stage}")
parts.load_end_of_turn(board)
mark(f"loading {board.turn.engine} for the end of a turn")
clock = MonotonicClock()
card = WavCard(board.audio, clock, numpy.zeros(16000, numpy.float32))
whole = toy.Toy(board, character, card, clock)
mark("the toy, with every engine loaded once more: warm-up, persona, speeds")
whole.start()
mark("card and threads")
whole.stop()
for (_, before), (name, after) in zip(marks, marks[1:]): print(f"{after - before:.6f} {name}")
"""


def main() -> None:
    """Measure and print; exit code 1 where a warm start is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--board", default="host")
    parser.add_argument("--repeats", type=count, default=5, help="starts of each kind (default: 5)")
    parser.add_argument("--card", action="store_true", help="`epsilon talk` on a virtual sound card as well")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = list(_rows(Path(folder), chosen.board, chosen.repeats, chosen.card))
    print_table(("ms from birth to listening", "median", "worst", "processor"), rows)
    print(f"at most {1000 * LIMIT_S:.0f} ms on the host")
    print()
    print_table(("one start taken apart", "ms"), parts(chosen.board))
    sys.exit(int(any(row[1] > 1000 * LIMIT_S for row in rows if row[0].endswith("warm"))))


def _rows(folder: Path, board: str, repeats: int, card: bool) -> Iterator[tuple[str, float, float, float]]:
    quiet = folder / "quiet.wav"
    write_wav(quiet, np.zeros(16_000, np.float32))
    emulate = ["emulate", str(quiet), "--board", board, "--pace", "realtime"]
    yield ("emulate, cold", *_figures(emulate, repeats, cold=True))
    yield ("emulate, warm", *_figures(emulate, repeats))
    if card:
        with ExitStack() as stack:
            virtual = stack.enter_context(virtual_card.virtual_card(folder / "card"))
            stack.callback(virtual.record("microphone").stop)  # it runs, as a card does
            path = str(_board_on_virtual_card(folder, board))
            for name in ("talk", "run"):
                yield (f"{name}, warm", *_figures([name, "--board", path], repeats))


def _board_on_virtual_card(folder: Path, board: str) -> Path:
    """A board file whose card is the virtual one, and was measured already, as after the first start."""
    path = folder / "virtual.yaml"
    path.write_text(f"extends: {board}\naudio: {{card: {virtual_card.CARD}}}\n", encoding="utf-8")
    os.environ["EPSILON_STATE"] = str(folder / "state")
    loaded = load_board(str(path))
    canceller = loaded.stages["capture"].engine or ""
    duplex.keep(loaded, Acoustics(Duplex.OPEN.value, canceller, 0.0, -60.0, -120.0, 99.0, 0.0, 0.0))
    return path


def _figures(words: list[str], repeats: int, cold: bool = False) -> tuple[float, float, float]:
    """Median, worst and the processor's time, in ms; a first start that is not counted makes what Python compiles."""
    to_listening(words)
    found = []
    for _ in range(repeats):
        if cold:
            forget()
        found.append(to_listening(words))
    walls_ms, works_ms = ([1000 * seconds for seconds in column] for column in zip(*found, strict=True))
    return statistics.median(walls_ms), max(walls_ms), statistics.median(works_ms)


def to_listening(words: list[str]) -> tuple[float, float]:
    """One start of the program, ended as soon as it listens: how long it took, and the processor's time, in s."""
    began_s = time.monotonic()
    command = [sys.executable, "-m", "epsilon", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        said = []
        for line in program.stderr:
            said.append(line)
            if WORD in line:
                took_s = time.monotonic() - began_s
                program.kill()
                _, code, used = os.wait4(program.pid, 0)
                program.returncode = code  # it has been waited for
                return took_s, used.ru_utime + used.ru_stime
    raise SystemExit(f"it never said that it listens:\n{''.join(said)}")


def forget() -> None:
    """Put the files of program, packages and models out of the system's memory, as far as nobody holds them."""
    roots = [
        *(folders.root() / name for name in FOLDERS),
        *map(Path, site.getsitepackages()),
        Path(os.__file__).parent,
    ]
    for path in (path for root in roots for path in root.rglob("*") if path.is_file()):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def parts(board: str) -> list[tuple[str, float]]:
    """What a start spends its time on, in ms, in a process of its own."""
    began_s = time.monotonic()
    command = [sys.executable, "-c", PARTS, board]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    whole_s = time.monotonic() - began_s
    rows = [(name, 1000 * float(took_s)) for took_s, _, name in (line.partition(" ") for line in lines)]
    return [*rows, ("Python itself, birth and end", 1000 * whole_s - sum(took for _, took in rows))]


if __name__ == "__main__":
    main()
