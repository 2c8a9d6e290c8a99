"""A toy that is hot goes on elsewhere: what was said is known, what it was made of is gone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon import moving
from epsilon.clock import ManualClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.devices.wav import WavCard
from epsilon.emulation.lockstep import LockStep
from epsilon.engines.llm.conversation import Exchange
from epsilon.hardware import Switches
from epsilon.hardware.none import NoHardware
from epsilon.hardware.senses import Readings
from epsilon.parts import load_engine
from epsilon.stages.body import READ_S, SMALLER, USUAL, Body
from epsilon.stages.llm import Llm
from epsilon.toy import STAGES, Toy

SECOND = 16_000
HOT_BOARD = """
extends: host
ladder:
  smaller: {asr: {cores: [0]}, tts: {cores: [0]}, effects: {cores: [0]}}
"""


class Felt:
    """Feels what the test says."""

    def __init__(self) -> None:
        self.now = Readings(celsius=40)

    def start(self) -> None: ...

    def read(self) -> Readings:
        return self.now


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    path = tmp_path_factory.mktemp("boards") / "warm.yaml"
    path.write_text(HOT_BOARD, encoding="utf-8")
    return load_board(str(path))


class Life:
    """A toy in lock-step that moves when it asks to."""

    def __init__(self, board: Board) -> None:
        self.usual, self.felt, self.clock = board, Felt(), ManualClock()
        self.loaded: list[str] = []
        self.card = WavCard(board.audio, self.clock, np.zeros(SECOND, np.float32))
        character = load_character(board.character)
        switches, self.hardware = Switches(), NoHardware()
        self.toy = Toy(
            board,
            character,
            self.card,
            self.clock,
            switches=switches,
            hardware=self.hardware,
            feeling=self.felt,
            load=self.load,
        )
        self._begin()

    def load(self, board: Board, stage: str) -> Any:
        """Engines as a toy loads them, noted."""
        self.loaded.append(stage)
        return load_engine(board, stage)

    def _begin(self) -> None:
        self.card.start()
        self.time = LockStep(self.toy, self.card, self.clock)

    def live(self, seconds: float) -> list[tuple[str, str]]:
        """Let time pass; what was told of the body."""
        told = []
        for _ in range(round(seconds * SECOND / self.card.block_frames)):
            told += [(news.what, news.text) for news in self.time.pass_block()]
        return [one for one in told if one[0] in ("standing", "move", "heard")]

    def move(self, where: str) -> None:
        board = moving.destination(self.usual, where)
        self.card = WavCard(board.audio, self.clock, np.zeros(SECOND, np.float32))
        self.toy = moving.successor(self.toy, board, self.card, self.clock)
        self._begin()

    @property
    def mind(self) -> Llm:
        llm = self.toy.stages[STAGES.index("llm")]
        assert isinstance(llm, Llm)
        return llm

    @property
    def body(self) -> Body:
        body = self.toy.stages[-1]
        assert isinstance(body, Body)
        return body


@pytest.fixture(scope="module")
def life(board: Board) -> Iterator[Life]:
    yield Life(board)


def test_a_hot_toy_says_so_moves_and_comes_back_and_remembers(life: Life) -> None:
    life.mind.conversation.take_over([Exchange("my name is ada", reply="Hello Ada.")])
    life.felt.now = Readings(celsius=90)
    told = life.live(2 * READ_S + 6)
    line = life.toy.character.lines.hot
    assert told == [("standing", "hot 90 C"), ("heard", line), ("move", SMALLER)]
    life.move(SMALLER)
    assert life.toy.board.stages["asr"].cores == (0,)
    exchanges = life.mind.conversation.exchanges
    assert exchanges[0] == Exchange("my name is ada", reply="Hello Ada.")
    assert [exchange.reply for exchange in exchanges[1:]] == [line]
    assert life.mind.sequence.ids == life.mind.conversation.ids(), "and that is digested"
    assert life.mind.manner.sampling.max_words < life.mind.usual_manner.sampling.max_words
    assert life.live(2 * READ_S) == [], "it is as hot as before, and has said so"
    life.felt.now = Readings(celsius=60)
    assert life.live(READ_S + 1) == [("standing", "well 60 C"), ("move", USUAL)]
    life.move(USUAL)
    assert life.toy.board.stages["asr"].cores == (1,)
    assert life.mind.conversation.exchanges == exchanges
    assert life.mind.manner is life.mind.usual_manner


def test_a_toy_that_moved_leaves_neither_engines_nor_descriptors_behind(life: Life) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.freeze()  # as a toy that runs does
    gc.disable()
    try:
        before, gone = open_files(), weakref.ref(life.mind.model)
        life.move(SMALLER)
        assert gone() is None
        assert open_files() <= before
    finally:
        gc.enable()
        gc.unfreeze()


def test_hands_stay_where_they_were(life: Life) -> None:
    switches = life.toy.switches
    switches.mute(True)
    life.move(USUAL)
    assert life.toy.switches is switches and switches.muted
    life.body.bell.wait(0)
    switches.mute(False)
    assert life.body.bell.wait(0)
    assert len(switches._watchers) == 1
    assert Path(life.toy.board.path).stem == "warm"


def test_engines_are_loaded_by_whoever_loaded_them_before(life: Life) -> None:
    """So a toy that takes the time of another board goes on taking it."""
    life.loaded.clear()
    life.move(USUAL)
    assert {"vad", "asr", "llm", "tts"} <= set(life.loaded)
