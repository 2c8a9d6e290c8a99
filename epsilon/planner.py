"""Finds the seats on which a board's models answer soonest: a model of the chip proposes, the board itself decides."""

from __future__ import annotations

import itertools
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from epsilon.audio_files import save_wav
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.config.machine import Cores, Cost, Soc
from epsilon.emulation.contention import Call, Machine
from epsilon.organs import Voice
from epsilon.plan import MODELS, Figures, Seats, Trial
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.solo import SENTENCE, costs_of

TRIED = 6  # assignments that are tried out, the board's own among them
HEARD_S, PROMPT = 2.0, 4  # of a usual question: how long it is, and what of it is read once it has ended
WORDS, FIRST_S = 6, 0.25  # tokens thought and seconds said before the answer sounds
SECOND_MS = 1000.0
INTERRUPTED = 0.25  # of all answers
QUIET_S = 0.5
NOISE = 0.1  # of a time: two runs differ by so much

log = logging.getLogger(__name__)

Say = Callable[[str], object]


def plan(board: Board, character: Character, say: Say = lambda _: None, tried: int = TRIED) -> list[Trial]:
    """Everything that was tried, the best first: within the budget, and the answer soonest ready.

    The board's own seats stay where nothing is better by more than what two runs differ.
    """
    say("what each model costs, alone on one core")
    costs = {stage: _for_speed_1(board, cost, stage) for stage, cost in _solo(board, character).items()}
    proposed = proposals(board, costs, tried)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        sentence = Path(folder) / "sentence.wav"
        save_wav(sentence, spoken(board, character))
        for number, seats in enumerate(proposed, 1):
            trial = Trial(seats, tried_out(board, character, seats, sentence))
            say(f"{number} of {len(proposed)}: {trial}")
            found.append(trial)
    return ranked(board, found)


def ranked(board: Board, found: Sequence[Trial]) -> list[Trial]:
    """The best first; the first given is the board's own."""
    own = found[0]
    rows = sorted(
        found, key=lambda trial: (not trial.meets(board), trial.figures.gaps_ms > 0, trial.figures.ready_ms)
    )
    saved_ms = own.figures.ready_ms - rows[0].figures.ready_ms
    if (
        rows[0] is not own
        and own.meets(board) == rows[0].meets(board)
        and saved_ms < NOISE * own.figures.ready_ms
    ):
        rows.remove(own)
        rows.insert(0, own)
    return rows


def own_seats(board: Board) -> dict[str, tuple[int, ...]]:
    """The seats of the models that a plan may move, as the board's file has them."""
    stages = board.stages
    return {stage: stages[stage].cores for stage in MODELS if _runs_on_cores(board, stage)}


def _runs_on_cores(board: Board, stage: str) -> bool:
    return not board.stages[stage].npu_cores and board.stages[stage].device == "cpu"


def proposals(board: Board, costs: Mapping[str, Cost], count: int) -> list[Seats]:
    """The board's own seats, and those from which the model of the chip expects the most."""
    own = own_seats(board)
    others = by_expectation(_known(board.soc), costs, tuple(own), reserved(board))
    return [own, *(seats for seats in others if seats != own)][:count]


def by_expectation(
    chip: Soc, costs: Mapping[str, Cost], stages: Sequence[str], without: set[int]
) -> list[Seats]:
    """All assignments, the most promising first; of those that promise the same, the one of fewest cores."""
    machine = Machine(chip)

    def promise(seats: Seats) -> tuple[float, int]:
        return round(expected_ms(machine, costs, seats), 1), sum(map(len, seats.values()))

    return sorted(assignments(chip, stages, without), key=promise)


def reserved(board: Board) -> set[int]:
    """Cores on which sound has priority: a model there would be held up by it."""
    return {core for stage in board.stages.values() if stage.priority for core in stage.cores}


def assignments(soc: Soc, stages: Sequence[str], without: set[int]) -> Iterator[Seats]:
    """Every way to seat models on single cores, pairs or whole kinds; cores of a kind are as good as each other."""
    kinds = [
        [core for core in kind.ids if core not in without] or list(kind.ids) for kind in soc.cores.values()
    ]
    blocks = sorted({block for kind in kinds for block in _blocks(kind)})
    seen = set()
    for seats in itertools.product(blocks, repeat=len(stages)):
        shape = _shape(seats, kinds)
        if shape not in seen:
            seen.add(shape)
            yield dict(zip(stages, seats, strict=True))


def _blocks(kind: Sequence[int]) -> Iterator[tuple[int, ...]]:
    yield from ((core,) for core in kind)
    yield from itertools.pairwise(kind)
    yield tuple(kind)


def _shape(
    seats: Sequence[tuple[int, ...]], kinds: Sequence[Sequence[int]]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The same for assignments that differ by which core of a kind is which: of each core, who sits there."""
    cores = set(itertools.chain(*seats))
    kind_of = {core: place for place, kind in enumerate(kinds) for core in kind}
    return tuple(
        sorted((kind_of[core], tuple(n for n, seat in enumerate(seats) if core in seat)) for core in cores)
    )


def expected_ms(chip: Machine, costs: Mapping[str, Cost], seats: Seats) -> float:
    """How late a usual answer is: heard, thought, and its first sound made while the mind thinks on.

    To that comes the gap in every second of an answer whose voice is too slow beside the mind; and how long words take
    that are heard while both are at work. Models that sit elsewhere are left out.
    """
    calls = {stage: _call(costs[stage], stage, Seat(cores)) for stage, cores in seats.items()}
    heard, thought = (chip.alone_ms(calls[stage]) if stage in calls else 0.0 for stage in ("asr", "llm"))
    speaking = {stage: call for stage, call in calls.items() if stage != "asr"}
    first = _beside(chip, speaking, "tts")
    voice = costs["tts"]
    second_ms = first * (voice.second_ms / max(voice.pass_ms + voice.second_ms * FIRST_S, 1e-6))
    gap_ms = max(0.0, second_ms - SECOND_MS)
    return heard + thought + first + gap_ms + INTERRUPTED * _beside(chip, calls, "asr")


def _beside(chip: Machine, calls: Mapping[str, Call], stage: str) -> float:
    """What a stage's call takes while the others last; nothing where the stage sits elsewhere."""
    rates = dict(zip(calls, chip.rates(list(calls.values())), strict=True))
    rate = rates.get(stage, math.inf)
    return 1 / rate if rate else math.inf


def _call(cost: Cost, stage: str, seat: Seat) -> Call:
    """What a stage does for a usual answer before it sounds, as one call."""
    if stage == "asr":
        return Call(seat, cost.pass_ms + cost.second_ms * HEARD_S, cost.read_mb)
    if stage == "llm":
        work_ms = cost.pass_ms + cost.prefill_ms * PROMPT + cost.token_ms * WORDS
        return Call(seat, work_ms, cost.read_mb * (1 + WORDS))  # once for the prompt, and for every word
    return Call(seat, cost.pass_ms + cost.second_ms * FIRST_S, cost.read_mb)


def _known(soc: Soc) -> Soc:
    """The chip; of an unknown machine, its cores as the operating system has them, all alike."""
    here = tuple(sorted(os.sched_getaffinity(0)))
    return soc if soc.cores else replace(soc, cores={"all": Cores(here)})


def _solo(board: Board, character: Character) -> dict[str, Cost]:
    rows = costs_of(board, character, rounds=3)
    return {stage: rows[board.stages[stage].model or ""] for stage in MODELS}


def _for_speed_1(board: Board, cost: Cost, stage: str) -> Cost:
    """What was measured on the stage's core, for a core of speed 1."""
    speed = board.soc.speed_of(board.stages[stage].cores[0]) if board.stages[stage].cores else 1.0
    times = ("pass_ms", "second_ms", "prefill_ms", "token_ms")
    return replace(cost, **{name: getattr(cost, name) * speed for name in times})


def spoken(board: Board, character: Character) -> Samples:
    """A sentence to be heard, in the toy's own voice, and the silence before it."""
    voice = Voice(board, character, wet=False)
    return np.concatenate([np.zeros(int(QUIET_S * 16_000), np.float32), voice.dry(SENTENCE)])


def tried_out(board: Board, character: Character, seats: Seats, sentence: Path) -> Figures:
    """What a process of its own measures, whose memory is its own as well; nothing is good about one that failed."""
    command = [sys.executable, "-m", "epsilon.trial", str(board.path), character.name, str(sentence)]
    run = subprocess.run([*command, json.dumps(seats)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        log.warning("%s could not be tried: %s", dict(seats), run.stderr.strip().splitlines()[-1:])
        return Figures(math.inf, math.inf, math.inf, math.inf)
    return Figures(**json.loads(run.stdout.splitlines()[-1]))
