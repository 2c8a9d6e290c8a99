"""Every board that ships: it loads, and with its character and models it can be built."""

from __future__ import annotations

import pytest

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.folders import board_names, character_names, loadable_names
from epsilon.config.models import find_model, read_shipped, verify
from epsilon.config.whole import check_pair
from epsilon.toy import STAGES


def test_there_are_boards() -> None:
    assert "host" in board_names()


@pytest.mark.parametrize("name", board_names())
def test_a_board_lists_every_stage_and_its_models_are_whole(name: str) -> None:
    board = load_board(name)
    assert list(board.stages) == list(STAGES), "the stages stand in the order of the sound"
    for settings in board.stages.values():
        if settings.model:
            verify(find_model(settings.model))


@pytest.mark.parametrize("character", character_names())
@pytest.mark.parametrize("board", board_names())
def test_every_character_can_live_on_every_board(board: str, character: str) -> None:
    check_pair(load_board(board), load_character(character))


def test_every_engine_that_ships_runs_on_some_board_or_has_a_model_to_choose() -> None:
    boards = [load_board(name) for name in board_names()]
    used = {
        board.stages[stage].engine for board in boards for stage in ("capture", "vad", "asr", "llm", "tts")
    }
    used |= {model.engine for model in read_shipped().values()}  # ears may be asked for by --ears
    there = {
        name for kind in ("echo", "vad", "asr", "llm", "tts") for name in loadable_names("engines", kind)
    }
    assert there == used


@pytest.mark.parametrize("name", board_names())
def test_no_two_real_time_threads_share_a_core(name: str) -> None:
    board = load_board(name)
    urgent = [core for stage in board.stages.values() if stage.priority for core in stage.cores]
    assert len(set(urgent)) == len(urgent)


def test_the_host_needs_two_cores_and_no_privilege() -> None:
    stages = load_board("host").stages.values()
    assert {core for stage in stages for core in stage.cores} <= {0, 1}
    assert not any(stage.priority for stage in stages)
