"""Takes played again at a board's pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from epsilon.audio_files import read_audio
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.emulation.conversation import TIFU_NAMES
from epsilon.emulation.runner import Emulation
from epsilon.takes.checks import LOCKSTEP
from tools.takes import Take

SHIFT_FRAMES = 1280  # 80 ms: where in the rhythm of windows and passes speech begins is a matter of luck
RATE_HZ = 16_000


@dataclass
class Prediction:
    """What a board would do with some takes."""

    answers: list[dict[str, float]] = field(default_factory=list)  # TIFU and its parts, of each
    turns: int = 0
    cut_ins: int = 0
    gaps_ms: float = 0.0
    ready_ms: list[float] = field(default_factory=list)  # of each answer: when it could have sounded

    def tifu_ms(self, percentile: float) -> float:
        """Of all answers."""
        return self._percentile([answer["answer_ms"] for answer in self.answers], percentile)

    def ready(self, percentile: float) -> float:
        """When answers were ready, from the last sample of speech, wanted by then or not."""
        return self._percentile(self.ready_ms, percentile)

    def part_ms(self, name: str) -> float:
        """The mean of a part of TIFU: the parts add up."""
        return float(np.mean([answer[name] for answer in self.answers])) if self.answers else float("nan")

    @staticmethod
    def _percentile(values: Sequence[float], percentile: float) -> float:
        return float(np.percentile(values, percentile)) if values else float("nan")


PARTS = tuple(name for name in TIFU_NAMES if name not in ("first_sound_ms", "answer_ms"))


def predict(board: Board, takes: Sequence[Take], shifts: int = 4) -> Prediction:
    """Every take some times, each time a little later: the engines run here, the clock is the board's."""
    host = load_board("host")
    toy_of = replace(
        host, audio=board.audio, turn=board.turn
    )  # what can be run here, listening as that board does
    found = Prediction()
    for take in takes:
        character, sound = load_character(take.character), read_audio(take.folder / "in.wav")
        for shift in range(shifts):
            recording = np.concatenate([np.zeros(shift * SHIFT_FRAMES, np.float32), sound])
            emulation = Emulation(toy_of, character, [recording], LOCKSTEP, pace_of=board)
            _add(found, emulation.run(lambda _: None).conversation["turns"], emulation)
    return found


def _add(found: Prediction, turns: list[dict[str, Any]], emulation: Emulation) -> None:
    for turn, record in zip(turns, emulation.toy.journal.turns, strict=True):
        found.turns += 1
        found.cut_ins += turn["cut_in"]
        found.gaps_ms += sum(turn["gaps_ms"])
        if turn["tifu"]["answer_ms"] is not None:
            found.answers.append(turn["tifu"])
            made_s = record.times_s["sound"]
            found.ready_ms.append((made_s - emulation.card.time_of(record.end_at)) * 1000)
