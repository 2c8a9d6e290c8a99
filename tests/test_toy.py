"""A whole toy on the host's board: wired in the order of the sound, seated as the board says, dying aloud."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from epsilon.clock import MonotonicClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.devices.wav import WavCard
from epsilon.errors import StageDied
from epsilon.last_words import trouble_line
from epsilon.messages import Message
from epsilon.toy import STAGES, Toy, running

SECOND = 16_000


def toy(board: Board) -> Toy:
    """On a card that hears nothing."""
    clock = MonotonicClock()
    silence = np.zeros(SECOND, np.float32)
    return Toy(board, load_character(board.character), WavCard(board.audio, clock, silence), clock)


@pytest.fixture(scope="module")
def host() -> Board:
    return load_board("host")


def test_the_stages_stand_in_the_order_of_the_sound(host: Board) -> None:
    built = toy(host)
    assert tuple(stage.name for stage in built.stages) == STAGES
    by_name = dict(zip(STAGES, built.stages, strict=True))
    _, *talking, body = built.stages
    for stage, following in pairwise(talking):
        assert stage.outbox in following.inboxes
    assert by_name["playback"].outbox in by_name["llm"].inboxes, "what was heard goes back"
    assert body.outbox in by_name["vad"].inboxes, "who knows whose turn it is says what the body has to say"


def test_each_thread_sits_where_its_board_says(host: Board) -> None:
    core = min(os.sched_getaffinity(0))
    seats = {name: replace(settings, cores=(core,)) for name, settings in host.stages.items()}
    built = toy(replace(host, stages=seats))
    with running(built):
        for stage in built.stages:
            assert stage.native_id is not None
        built.bell.wait(0.2)  # long enough for each thread to have taken its seat
        found = {stage.name: os.sched_getaffinity(stage.native_id or 0) for stage in built.stages}
    assert found == {stage: {core} for stage in STAGES}


def test_a_stage_that_dies_is_said_aloud_and_ends_the_toy(
    host: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = toy(host)

    def break_down() -> Iterator[Message]:
        raise OSError("the model has gone")

    monkeypatch.setattr(built.stages[STAGES.index("asr")], "step", break_down)
    with pytest.raises(StageDied, match=r"asr died.*the model has gone"), running(built):
        while True:
            list(built.watch(5))
    assert not any(stage.is_alive() for stage in built.stages)
    assert isinstance(built.card, WavCard)
    spoken = built.card.reply()
    line = trouble_line(built.character)
    first = int(np.flatnonzero(np.abs(spoken) > 1e-4)[0]) - int(np.flatnonzero(np.abs(line) > 1e-4)[0])
    assert np.array_equal(spoken[first : first + len(line)], line)
