"""One trial of the planner: two turns with the real toy in real time, which nobody hears; prints its figures.

python -m epsilon.trial BOARD.yaml CHARACTER SENTENCE.wav '{"asr": [1], …}'
"""

from __future__ import annotations

import dataclasses
import json
import math
import resource
import sys
from dataclasses import replace
from pathlib import Path

from epsilon.audio_files import read_audio
from epsilon.config.board import Board, load_board
from epsilon.config.character import Character, load_character
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.runner import Emulation
from epsilon.journal import TurnRecord
from epsilon.plan import Figures, Seats
from epsilon.ring import Samples
from epsilon.takes.checks import REALTIME


def seated(board: Board, seats: Seats) -> Board:
    """The board with its models on other cores."""
    moved = {stage: replace(board.stages[stage], cores=tuple(cores)) for stage, cores in seats.items()}
    return replace(board, stages={**board.stages, **moved})


def measured(board: Board, character: Character, sentence: Samples) -> Figures:
    """Two turns with the real toy, in real time; nobody hears them."""
    emulation = Emulation(board, character, [sentence, sentence], REALTIME)
    return figures_of(emulation, emulation.run(lambda _: None))


def figures_of(emulation: Emulation, outcome: Outcome) -> Figures:
    """What came of an emulation; of several turns the answer that was ready first, and the one that came last."""
    turns = emulation.toy.journal.turns
    ready = [late for turn in turns if (late := _ready_ms(emulation, turn)) is not None]
    answers = [turn["tifu"]["answer_ms"] for turn in outcome.conversation["turns"]]
    answered = [answer for answer in answers if answer is not None]
    return Figures(
        ready_ms=min(ready, default=math.inf),
        answer_ms=max(answered, default=math.inf),
        gaps_ms=_gaps_ms(outcome),
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _ready_ms(emulation: Emulation, turn: TurnRecord) -> float | None:
    """From the last sample of speech until the answer's first sound was made, wanted by then or not."""
    made_s = turn.times_s.get("sound")
    return (
        None if made_s is None or turn.end_at < 0 else (made_s - emulation.card.time_of(turn.end_at)) * 1000
    )


def _gaps_ms(outcome: Outcome) -> float:
    return float(sum(sum(turn["gaps_ms"]) for turn in outcome.conversation["turns"]))


def main() -> int:
    """A line of JSON."""
    board, character, sentence, seats = sys.argv[1:]
    moved = seated(load_board(board), json.loads(seats))
    figures = measured(moved, load_character(character), read_audio(Path(sentence)))
    sys.stdout.write(json.dumps(dataclasses.asdict(figures)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
