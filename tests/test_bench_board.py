"""The bench of boards that are not here: its model sets, its chips, and what it predicts of a short take."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from epsilon.config.board import load_board
from epsilon.config.machine import Cores, Cost, Soc
from epsilon.errors import ConfigError
from epsilon.plan import MODELS
from epsilon.solo import line, quickest_ms
from tools.bench.board import __main__ as command
from tools.bench.board.cores import BASES, CORES, COUNTS, LARGE, SPEED, chip, expected_ms, with_chip
from tools.bench.board.prediction import PARTS, Prediction, predict
from tools.bench.board.sets import laid_over, planned, sets
from tools.takes import takes

SHORT = [take for take in takes() if take.name == "good-morning-bram"]


def test_a_set_is_laid_over_its_board() -> None:
    board, about = laid_over("rk3588-full-gpu")
    assert about == sets()["rk3588-full-gpu"].about
    assert board.stages["asr"].npu_cores == (0,)
    assert board.stages["llm"].device == "opencl"
    assert board.costs["pocket/mind"].token_ms == 77
    assert board.costs["pocket/mind"].on == "gpu"
    assert board.soc == load_board("rk3588").soc


@pytest.mark.parametrize("name", [name for name, entry in sets().items() if entry.board])
def test_every_set_keeps_away_from_sound_that_has_priority(name: str) -> None:
    board, _ = laid_over(name)
    with_priority = {core for stage in board.stages.values() if stage.priority for core in stage.cores}
    assert with_priority
    assert not any(with_priority & set(board.stages[stage].cores) for stage in MODELS)


def test_a_name_that_is_neither_board_nor_set_is_said_before_anything_is_played() -> None:
    with pytest.raises(ConfigError, match=r"no board 'rk3589'.*did you mean rk3588"):
        command.show(["host", "rk3589"], 1)


def test_percentiles_and_parts_are_of_the_answers() -> None:
    answers = [{"answer_ms": 100.0 * n, **dict.fromkeys(PARTS, 10.0 * n)} for n in range(1, 12)]
    found = Prediction(answers=answers, ready_ms=[5, 15])
    assert found.tifu_ms(50) == 600
    assert found.tifu_ms(95) == pytest.approx(1050)
    assert found.part_ms(PARTS[0]) == pytest.approx(60)
    assert found.ready(50) == 10


@pytest.fixture(scope="module")
def usual() -> Prediction:
    """The host itself."""
    return predict(load_board("host"), SHORT, shifts=1)


def test_parts_add_up_to_tifu(usual: Prediction) -> None:
    answer = usual.answers[0]
    assert sum(answer[part] for part in PARTS) == pytest.approx(answer["answer_ms"], abs=0.5)
    assert 0 < usual.ready_ms[0] < answer["answer_ms"]


def test_the_same_twice(usual: Prediction) -> None:
    assert predict(load_board("host"), SHORT, shifts=1) == usual


def test_a_board_of_large_models_answers_later(usual: Prediction) -> None:
    board, _ = laid_over("rk3588-full")
    late = predict(board, SHORT, shifts=1)
    assert late.ready(50) > 2 * usual.ready(50)
    assert late.tifu_ms(50) > usual.tifu_ms(50)


def test_chips_are_alike_in_what_they_say() -> None:
    assert [BASES["same total speed"](n) * n for n in COUNTS] == pytest.approx([SPEED * CORES] * len(COUNTS))
    assert all(speed_of(CORES) == pytest.approx(SPEED) for speed_of in BASES.values())
    assert [BASES["same power"](n) ** 3 * n for n in COUNTS] == pytest.approx(
        [SPEED**3 * CORES] * len(COUNTS)
    )
    assert [BASES["same area"](n) ** 2 * n for n in COUNTS] == pytest.approx([SPEED**2 * CORES] * len(COUNTS))


def test_four_cores_beat_one_of_the_same_power_when_the_models_are_large() -> None:
    costs, speed_of = sets()[LARGE].costs, BASES["same power"]
    few, many = (predict(with_chip(chip(n, speed_of(n)), costs), SHORT, shifts=1) for n in (1, 4))
    assert many.ready(50) < few.ready(50)
    assert many.gaps_ms < few.gaps_ms


def test_ears_mind_and_voice_together_need_longer_on_one_core_than_on_two() -> None:
    alone = {"asr": 20.0, "llm": 10.0, "tts": 40.0}
    host = load_board("host")
    one = replace(host, stages={stage: replace(own, cores=(0,)) for stage, own in host.stages.items()})
    assert expected_ms(one, alone) == pytest.approx(3 * 70)
    assert expected_ms(host, alone) == pytest.approx(2 * 20 + 10 + 2 * 40)


def test_planned_models_sit_apart_where_there_is_room() -> None:
    soc = Soc(cores={"all": Cores((0, 1, 2, 3))})
    costs = {f"pocket/{name}": Cost(pass_ms=15) for name in ("ears", "mind", "voice")}
    board = planned(replace(load_board("host"), soc=soc, costs=costs))
    seats = [set(board.stages[stage].cores) for stage in MODELS]
    assert len(set.union(*seats)) == sum(map(len, seats)) == 3


def test_a_line_goes_through_its_points_and_never_below_nothing() -> None:
    assert line([(1, 5), (2, 7), (4, 11)]) == pytest.approx((3, 2))
    assert line([(1, 5), (2, 4)]) == pytest.approx((4.5, 0))
    assert line([(1, 1), (2, 4)]) == pytest.approx((0, 3))


def test_the_quickest_round_counts() -> None:
    rounds: list[int] = []
    assert quickest_ms(3, lambda: rounds.append(1)) >= 0
    assert len(rounds) == 3


def test_what_was_measured_can_be_read_as_a_board(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tools.bench.board", "--measure", "--rounds", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path / "board.yaml"
    file.write_text(f"extends: rk3588\n{run.stdout}")  # a board that has no rows of these itself
    costs = load_board(str(file)).costs
    assert {"pocket/ears", "pocket/mind", "pocket/voice", "pocket/endpoint", "silero"} <= costs.keys()
    assert costs["pocket/mind"].token_ms > 0
    assert costs["pocket/voice"].second_ms > 0
    assert costs["pocket/ears"].read_mb == pytest.approx(8.91)
