"""Every board that ships: it loads, and with its character and models it can be built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.folders import board_names, character_names, loadable_names, root
from epsilon.config.models import find_model, read_shipped, verify
from epsilon.config.whole import check_pair
from epsilon.errors import ConfigError
from epsilon.toy import STAGES

FOR_PUBLIC_MODELS = {"kokoro"}  # engines whose models people bring along


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
    used |= {board.turn.engine for board in boards}
    used |= {model.engine for model in read_shipped().values()}  # ears may be asked for by --ears
    there = {
        name
        for kind in ("echo", "vad", "asr", "llm", "tts", "endpoint")
        for name in loadable_names("engines", kind)
    }
    assert there == used | FOR_PUBLIC_MODELS | {"none", "aec3", "silence"}, (
        "none: a card that does not hear itself; aec3: kalman is measured against it; silence: a board without a model"
    )


@pytest.mark.parametrize("name", board_names())
def test_no_two_real_time_threads_share_a_core(name: str) -> None:
    board = load_board(name)
    urgent = [core for stage in board.stages.values() if stage.priority for core in stage.cores]
    assert len(set(urgent)) == len(urgent)


def test_the_host_needs_two_cores_and_no_privilege() -> None:
    stages = load_board("host").stages.values()
    assert {core for stage in stages for core in stage.cores} <= {0, 1}
    assert not any(stage.priority for stage in stages)


@pytest.mark.parametrize(
    ("effects", "told"),
    [
        ("[{name: romo}]", r":18: no effect 'romo'; there are: .* \(did you mean room\?\)"),
        ("[{name: room, options: {siz: 5 ms}}]", r":34: no key 'siz' here; .* \(did you mean size\?\)"),
        ("[{name: room, options: {size: 5}}]", r":40: expected a number with a unit: ms or s, found '5'"),
        ("[{name: pitch, options: {formants: 9}}]", r":45: 9 is out of range: from -6 to 6"),
    ],
)
def test_a_mistaken_effect_is_told_with_its_place(
    effects: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = root()
    shutil.copytree(home / "characters", tmp_path / "characters")
    path = tmp_path / "characters/bram/character.yaml"
    text = path.read_text(encoding="utf-8").partition("\neffects:")[0]
    path.write_text(f"{text.rstrip()}\neffects: {effects}\n", encoding="utf-8")
    for name in ("boards", "models"):
        (tmp_path / name).symlink_to(home / name)
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=rf"^characters/bram/character.yaml:\d+{told}$"):
        check_pair(load_board("host"), load_character("bram"))
