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
PROMPT, HEARD_S = 12, 2.0  # tokens read of a usual question, and how long it is
WORDS, FIRST_S = 6, 0.25  # tokens thought and seconds said before the answer sounds
GOES_ON_WORDS, GOES_ON_S = 4, 1.0  # and in the second after that, while somebody talks into it
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
    soc = _known(board.soc)
    chip = Machine(soc)
    others = sorted(
        assignments(soc, tuple(own), reserved(board)), key=lambda seats: expected_ms(chip, costs, seats)
    )
    return [own, *(seats for seats in others if seats != own)][:count]


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


def best(chip: Soc, costs: Mapping[str, Cost], stages: Sequence[str], without: set[int]) -> Seats:
    """The seats from which the model of the chip expects the most."""
    machine = Machine(chip)
    return min(assignments(chip, stages, without), key=lambda seats: expected_ms(machine, costs, seats))


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
    """A usual answer until it sounds, one stage after the other; then the next second of it, all stages at once.

    Models that sit elsewhere are left out.
    """
    alone = [
        _call(costs[stage], stage, Seat(cores), PROMPT, WORDS, FIRST_S) for stage, cores in seats.items()
    ]
    crowd = [
        _call(costs[stage], stage, Seat(cores), 0, GOES_ON_WORDS, GOES_ON_S) for stage, cores in seats.items()
    ]
    rates = chip.rates(crowd)
    return sum(map(chip.alone_ms, alone)) + sum(1 / rate if rate else math.inf for rate in rates)


def _call(cost: Cost, stage: str, seat: Seat, prompt: int, words: int, said_s: float) -> Call:
    """What a stage does in that time, as one call; a mind reads its weights once for a prompt and for every word."""
    if stage == "asr":
        return Call(seat, cost.pass_ms + cost.second_ms * HEARD_S, cost.read_mb)
    if stage == "llm":
        work_ms = cost.pass_ms + cost.prefill_ms * prompt + cost.token_ms * words
        return Call(seat, work_ms, cost.read_mb * (bool(prompt) + words))
    return Call(seat, cost.pass_ms + cost.second_ms * said_s, cost.read_mb)


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
