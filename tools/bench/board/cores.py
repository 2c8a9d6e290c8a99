"""More small cores against fewer fast ones, when ears, mind and voice run together."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from epsilon import planner
from epsilon.audio_files import read_audio, save_wav
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.machine import Cores, Cost, Soc
from epsilon.emulation.contention import Call, Machine
from epsilon.emulation.runner import Emulation
from epsilon.organs import Voice
from epsilon.parts import load_engine, seat_of
from epsilon.plan import MODELS
from epsilon.realtime import Seat, calm_python
from epsilon.ring import Samples
from epsilon.solo import SENTENCE, seated, took_ms
from epsilon.takes.checks import LOCKSTEP
from epsilon.trial import figures_of
from tools.bench import print_table
from tools.bench.board.prediction import predict
from tools.bench.board.sets import planned, sets
from tools.takes import takes

ORGANS = {"asr": "ears", "llm": "mind", "tts": "voice"}
THOUGHT = 24  # tokens
LARGE = "raspberrypi5-full"  # the set whose costs the chips are given
CORE_GB_S, CHIP_GB_S = 5.3, 11.0  # the memory of that board: what one of its cores draws, and all of them
SPEED, CORES = 0.35, 4  # of that board, which every comparison goes through
COUNTS = (1, 2, 4, 8)
# How fast each of n cores is where 4 of them are as fast as that board's. Pollack's rule: a core's speed grows with the
# square root of its area. A clock: power grows with its cube, since the voltage rises with it.
BASES: dict[str, Callable[[int], float]] = {
    "same total speed": lambda n: SPEED * CORES / n,
    "same area": lambda n: SPEED * (CORES / n) ** (1 / 2),
    "same power": lambda n: SPEED * (CORES / n) ** (1 / 3),
}


def show(rounds: int, shifts: int) -> None:
    """What one and two cores do here, and what chips of few and many would."""
    show_measured(rounds)
    print()
    show_predicted(shifts)


def show_measured(rounds: int) -> None:
    """Ears, mind and voice at work together on this machine, and what the model of contention makes of it."""
    board = load_board("host")
    one = {stage: replace(settings, cores=(0,)) for stage, settings in board.stages.items()}
    setups = {"one core": replace(board, stages=one), "two cores": board}
    alone = together(setups["one core"], rounds, one_by_one=True)
    rows: list[list[object]] = [["alone", *alone.values(), sum(alone.values()), None]]
    for name, setup in setups.items():
        found = together(setup, rounds)
        rows.append([f"together on {name}", *found.values(), sum(found.values()), expected_ms(setup, alone)])
    print_table(("MEASURED", *ORGANS.values(), "all", "the model says"), rows)
    print(f"milliseconds, medians of {rounds}: a sentence heard, {THOUGHT} tokens thought, a sentence said")
    print()
    show_answers(setups, rounds)


def show_answers(setups: Mapping[str, Board], rounds: int) -> None:
    """When whole toys have an answer ready in real time, and what the paced emulation says of the same sentence."""
    board, rows = load_board("host"), []
    character = load_character(board.character)
    with tempfile.TemporaryDirectory() as folder:
        sentence = Path(folder) / "sentence.wav"
        save_wav(sentence, planner.spoken(board, character))
        sound = read_audio(sentence)
        for name, setup in setups.items():
            seats = {stage: setup.stages[stage].cores for stage in MODELS}
            trials = [planner.tried_out(board, character, seats, sentence) for _ in range(rounds)]
            ready = [trial.ready_ms for trial in trials]
            emulation = Emulation(board, character, [sound, sound], LOCKSTEP, pace_of=setup)
            found = figures_of(emulation, emulation.run(lambda _: None))
            rows.append([name, min(ready), statistics.median(ready), found.ready_ms])
    print_table(("an answer is ready", "MEASURED, least", "median", "PREDICTED"), rows)
    print(f"milliseconds after the last sample of speech, {rounds} runs in real time")


def together(board: Board, rounds: int, one_by_one: bool = False) -> dict[str, float]:
    """What each organ's work takes while the others work; the medians of the rounds."""
    work = organs(board)
    calm_python()
    took: dict[str, list[float]] = {stage: [] for stage in work}
    for _ in range(rounds + 1):
        busy = Busy(work, board)
        for stage, ms in busy.alone().items() if one_by_one else busy.together().items():
            took[stage].append(ms)
    return {stage: statistics.median(times[1:]) for stage, times in took.items()}  # the first warms up


@dataclass(frozen=True)
class Busy:
    """Some work for each stage, each in a thread on its seat."""

    work: Mapping[str, Callable[[], object]]
    board: Board

    def alone(self) -> dict[str, float]:
        """One after the other."""
        took = {}
        for stage, work in self.work.items():
            with seated(seat_of(self.board, stage)):
                took[stage] = took_ms(work)
        return took

    def together(self) -> dict[str, float]:
        """All at once: each goes on until everybody has done it once, so that nobody is left alone at the end."""
        start, took = threading.Barrier(len(self.work)), dict[str, float]()
        threads = [threading.Thread(target=self._go_on, args=(stage, start, took)) for stage in self.work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return took

    def _go_on(self, stage: str, start: threading.Barrier, took: dict[str, float]) -> None:
        seat_of(self.board, stage).take()
        start.wait()
        took[stage] = took_ms(self.work[stage])
        while len(took) < len(self.work):
            self.work[stage]()


def organs(board: Board) -> dict[str, Callable[[], object]]:
    """What each does in a round."""
    character = load_character(board.character)
    voice, ears, mind = (
        Voice(board, character, wet=False),
        load_engine(board, "asr"),
        load_engine(board, "llm"),
    )
    sound: Samples = voice.dry(SENTENCE)
    past = mind.start()
    mind.append(past, list(range(10, 58)))

    def think() -> None:
        seq = mind.fork(past)
        for _ in range(THOUGHT):
            mind.append(seq, [20])

    return {
        "asr": lambda: ears.hear(ears.start(), sound),
        "llm": think,
        "tts": lambda: voice.dry(SENTENCE),
    }


def expected_ms(board: Board, alone: Mapping[str, float]) -> float:
    """What the model of contention expects of all organs together, each having taken so long alone."""
    calls = [Call(Seat(board.stages[stage].cores), ms) for stage, ms in alone.items()]
    return sum(1 / rate for rate in Machine(Soc()).rates(calls))


def chip(cores: int, speed: float) -> Soc:
    """A chip of so many cores; each draws as much of the memory, however fast it is."""
    kind = Cores(tuple(range(cores)), speed=speed, bandwidth_gb_s=CORE_GB_S)
    return Soc(cores={"all": kind}, bandwidth_gb_s=CHIP_GB_S)


def with_chip(soc: Soc, large: Mapping[str, Cost]) -> Board:
    """The board with another chip, its models where they are expected to be least in each other's way."""
    base = load_board("raspberrypi5")
    stages = {stage: replace(settings, cores=(0,), priority=0) for stage, settings in base.stages.items()}
    costs = {stages[stage].model or stage: cost for stage, cost in large.items()}
    board = replace(base, soc=soc, stages=stages, costs=base.costs | costs)
    return planned(board)


def show_predicted(shifts: int) -> None:
    """Chips of few and of many cores that are alike in one respect, with small and with large models."""
    rows: list[list[object]] = []
    for models, costs in {"pocket": {}, LARGE: sets()[LARGE].costs}.items():
        for basis, speed_of in BASES.items():
            for cores in COUNTS:
                board = with_chip(chip(cores, speed_of(cores)), costs)
                found = predict(board, takes(), shifts)
                where = " ".join("".join(map(str, board.stages[stage].cores)) for stage in MODELS)
                figures = [
                    found.tifu_ms(50),
                    found.tifu_ms(95),
                    found.ready(50),
                    found.ready(95),
                    found.gaps_ms,
                ]
                rows.append(
                    [models, basis, f"{cores} x {speed_of(cores):.2f}", where, *figures, len(found.answers)]
                )
    print_table(
        ("PREDICTED", "chips of", "cores", "seats", "p50", "p95", "ready p50", "p95", "gaps", "answers"), rows
    )
    print("milliseconds; seats: the cores of ears, mind and voice, as the planner would propose them;")
    print(f"every core draws at most {CORE_GB_S:g} GB/s of {CHIP_GB_S:g}, as measured on a Raspberry Pi 5")
