"""How long after the end of speech the words are there, and which share of the peers' time that is."""

from __future__ import annotations

import contextlib
import statistics
from pathlib import Path

from epsilon.config.board import Board
from epsilon.ring import Samples
from tools.bench import print_table
from tools.bench.asr import RATE_HZ
from tools.bench.asr.shapes import NAMES, peer_worker
from tools.bench.asr.sounds import kept
from tools.bench.asr.turns import Utterance, listen
from tools.bench.peers.comparison import Goal, Subject, interleaved, spread
from tools.bench.peers.workers import WorkerDied

LIMIT_MS = 60.0
COMPARED = 3  # utterances that the peers hear too


def final_words(
    board: Board, sounds: list[Samples], python: Path | None, folder: Path, scratch: Path
) -> list[Goal]:
    """Says the sounds to the toy and prints what the words after the end of each took."""
    heard = listen(board, sounds)
    last_pass = [one.settled.cpu_ms for one in heard]
    both = [one.settled.cpu_ms + one.final.cpu_ms for one in heard]
    rows: list[list[object]] = [
        ["speech has paused: last pass", *_figures(last_pass)],
        ["the same by the clock on the wall", *_figures([one.settled.wall_ms for one in heard])],
        ["the turn is handed over: final words", *_figures([one.final.cpu_ms for one in heard])],
        ["both together", *_figures(both)],
        ["all partials before", *_figures([_before(one) for one in heard])],
    ]
    seconds = statistics.median(len(sound) for sound in sounds) / RATE_HZ
    print(
        f"\nwords after the end of speech, stages vad and asr: {len(heard)} sentences, {seconds:.1f} s median"
    )
    print_table(("ms of CPU", "median", "least", "most"), rows)
    if python is not None and folder.exists():
        _share(statistics.median(both), sounds, python, folder, scratch)
    return [Goal("words after the end of speech, ms", both, LIMIT_MS)]


def _before(utterance: Utterance) -> float:
    return sum(timing.cpu_ms for timing in utterance.timings if not timing.speech.last) - (
        utterance.settled.cpu_ms
    )


def _figures(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def _share(ours_ms: float, sounds: list[Samples], python: Path, folder: Path, scratch: Path) -> None:
    """What the peers need for the same sounds, with a checkpoint whose shape is the nearest public one."""
    print(f"\nthe same sounds at the peers, {folder.name} with RANDOM weights")
    rows: list[list[object]] = []
    for name, (title, _) in NAMES.items():
        with contextlib.ExitStack() as stack:
            try:
                subject = Subject(title, stack.enter_context(peer_worker(name, python, folder)), "transcribe")
            except WorkerDied as error:
                rows.append([title, None, f"not measured: {error}"])
                continue
            for place, sound in enumerate(sounds[:COMPARED]):
                interleaved([subject], kept(scratch, f"utterance {place}", sound), 1)
        if subject.failure:
            rows.append([title, None, f"not measured: {subject.failure}"])
            continue
        shares = [100 * ours_ms / cpu_ms for cpu_ms in subject.cpu_ms]
        rows.append([title, subject.median_ms, f"{spread(shares, 1)} %"])
    print_table(("engine", "CPU ms", "our final words take"), rows)
