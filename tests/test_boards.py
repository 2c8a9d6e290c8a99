"""Every board that ships: it loads, and with its character and models it can be built."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from epsilon.audio_files import read_audio
from epsilon.config import pins
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.folders import board_names, character_names, loadable_names, root
from epsilon.config.models import find_model, read_shipped, verify
from epsilon.config.whole import check_pair
from epsilon.emulation.runner import Emulation
from epsilon.errors import ConfigError
from epsilon.takes.checks import LOCKSTEP
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


@pytest.mark.parametrize("name", [name for name in board_names() if name != "host"])
def test_a_board_says_where_its_facts_are_from(name: str) -> None:
    board = load_board(name)
    assert board.soc.core_ids, "its cores are known"
    assert board.soc.memory_mb and board.soc.source and board.image.kernel
    assert all(cost.source for cost in board.costs.values())
    assert cores_of(board) <= set(board.soc.core_ids)


@pytest.mark.parametrize("name", [name for name in board_names() if load_board(name).body.hardware != "none"])
def test_a_body_is_wired_to_lines_that_there_are(name: str) -> None:
    board = load_board(name)
    wired = [pins.parse(pin, board.body.chip) for _, pin in board.body.pins()]
    assert len({(pin.chip, pin.line) for pin in wired}) == len(wired) >= 9
    for pin in wired:
        assert pin.chip is not None and pin.line is not None
        assert pin.line < board.soc.gpio[pin.chip]


@pytest.mark.parametrize("name", [name for name in board_names() if load_board(name).ladder.smaller.items])
def test_a_hot_board_moves_to_fewer_cores(name: str) -> None:
    board = load_board(name)
    smaller = board.with_stages(board.ladder.smaller)
    assert cores_of(smaller) < cores_of(board)


def cores_of(board: Board) -> set[int]:
    """Every core that a stage sits on."""
    return {core for stage in board.stages.values() for core in stage.cores}


@pytest.mark.parametrize("name", ["qemu-arm64", "qemu-x86"])
def test_an_emulated_board_needs_nothing_but_onnxruntime_and_its_time(name: str) -> None:
    board = load_board(name)
    assert {stage.runtime for stage in board.stages.values()} == {None, "onnx"}
    assert board.turn.model is None
    assert board.body.hardware == "none"
    assert board.budget.stuck_ms >= 60_000


@pytest.mark.parametrize("name", ["rk3588", "raspberrypi5", "qemu-arm64"])  # the others seat and ask the same
def test_a_board_that_is_not_here_answers_a_recording_here(name: str) -> None:
    board = load_board(name)
    recording = read_audio(Path(__file__).parent / "takes/good-morning-bram/in.wav")
    outcome = Emulation(board, load_character("bram"), [recording], LOCKSTEP).run(lambda news: None)
    replies = [reply["heard"] for turn in outcome.conversation["turns"] for reply in turn["replies"]]
    assert any(replies), outcome.conversation["turns"]
    assert np.abs(outcome.reply).max() > 0.01


@pytest.mark.parametrize("name", board_names())
def test_an_image_is_for_the_kernel_of_its_architecture(name: str) -> None:
    board = load_board(name)
    kernel = board.image.kernel
    if kernel is not None and kernel not in board.image.inputs:
        assert kernel == f"linux-image-{board.soc.architecture}"


def test_no_line_of_a_board_file_is_too_long_to_read() -> None:
    for path in (root() / "boards").glob("*.yaml"):
        assert all(len(line) <= 125 for line in path.read_text("utf-8").splitlines()), path.name


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
