"""The plan: what is proposed, what is chosen, and that its file is a person's as much as the toy's."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from epsilon import plan, planner, trial
from epsilon.__main__ import main
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.config.machine import Cores, Cost, Soc
from epsilon.emulation.contention import Machine
from epsilon.errors import ConfigError
from epsilon.plan import Figures, Seats, Trial

OWN: Seats = {"asr": (1,), "llm": (0,), "tts": (1,)}
OTHER: Seats = {"asr": (0,), "llm": (0,), "tts": (1,)}
GOOD = Figures(ready_ms=200, answer_ms=700, gaps_ms=0, memory_mb=160)
EVEN = {"asr": Cost(pass_ms=100), "llm": Cost(pass_ms=100), "tts": Cost(pass_ms=100)}


@pytest.fixture
def host() -> Board:
    return load_board("host")


def kept(board: Board, folder: Path, *seats: Seats) -> str:
    plan.keep(board, [Trial(one, GOOD) for one in seats], folder)
    return plan.place(folder).read_text()


def cores_of(board: Board) -> dict[str, tuple[int, ...]]:
    return {stage: board.stages[stage].cores for stage in plan.MODELS}


def test_a_plan_that_was_kept_is_recalled(host: Board, tmp_path: Path) -> None:
    text = kept(host, tmp_path, OTHER, OWN)
    assert "# asr [1], llm [0], tts [1]: ready after 200 ms" in text
    found = plan.recall(host, tmp_path)
    assert cores_of(found) == dict(OTHER)
    assert found.stages["capture"] == host.stages["capture"]


def test_without_a_plan_the_boards_own_seats_count(host: Board, tmp_path: Path) -> None:
    assert plan.recall(host, tmp_path) is host


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("board: host", "board: rk3588", "is for the board 'rk3588'"),
        ("machine: ", "machine: 96 cores and ", "was measured on another machine"),
        ("  asr: '", "  asr: '00", "was measured with other models"),
        ("asr: {cores: [0]}", "asr: {cores: [zero]}", "plan.yaml:6:"),
        ("asr: {cores: [0]}", "capture: {cores: [0]}", "a plan moves no 'capture'"),
        ("pinned: false", "pinned: perhaps", "expected true or false"),
        ("stages:", "\x00", "plan.yaml"),
    ],
)
def test_a_plan_that_does_not_fit_is_left_out_and_it_is_said_why(
    host: Board, tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str, after: str, reason: str
) -> None:
    text = kept(host, tmp_path, OTHER)
    assert before in text
    plan.place(tmp_path).write_text(text.replace(before, after, 1))
    assert plan.recall(host, tmp_path) is host
    assert reason in caplog.text


def test_a_pinned_plan_stays_whatever_changes(host: Board, tmp_path: Path) -> None:
    text = kept(host, tmp_path, OTHER).replace("pinned: false", "pinned: true")
    plan.place(tmp_path).write_text(
        text.replace("  asr: '", "  asr: '00").replace("machine: ", "machine: other ")
    )
    assert cores_of(plan.recall(host, tmp_path)) == dict(OTHER)


def test_a_folder_in_the_way_is_no_reason_not_to_start(host: Board, tmp_path: Path) -> None:
    plan.place(tmp_path).mkdir()
    assert plan.recall(host, tmp_path) is host


def test_a_pinned_plan_is_not_measured_anew(
    host: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = kept(host, tmp_path, OTHER).replace("pinned: false", "pinned: true")
    plan.place(tmp_path).write_text(text)
    assert main(["plan", "--out", str(tmp_path)]) == 2
    assert "is pinned" in capsys.readouterr().err


def test_cores_of_a_kind_are_as_good_as_each_other() -> None:
    two = Soc(cores={"all": Cores((0, 1))})
    found = list(planner.assignments(two, ("asr", "llm"), set()))
    shapes = [tuple(seats.values()) for seats in found]
    assert ((0,), (0,)) in shapes
    assert ((0,), (1,)) in shapes
    assert ((1,), (0,)) not in shapes
    assert ((0,), (0, 1)) in shapes
    assert len(shapes) == len(set(shapes)) == 5


def test_no_model_is_put_where_sound_has_priority() -> None:
    four = Soc(cores={"all": Cores((0, 1, 2, 3))})
    found = planner.assignments(four, ("asr", "llm", "tts"), {0})
    assert not any(0 in cores for seats in found for cores in seats.values())


def test_the_model_of_the_chip_proposes_cores_apart_and_fast_ones() -> None:
    chip = Soc(cores={"big": Cores((2, 3, 4), speed=1.0), "little": Cores((0, 1), speed=0.2)})
    best = min(
        planner.assignments(chip, plan.MODELS, set()),
        key=lambda seats: planner.expected_ms(Machine(chip), EVEN, seats),
    )
    assert all(set(cores) <= {2, 3, 4} for cores in best.values())
    apart = planner.expected_ms(Machine(chip), EVEN, {"asr": (2,), "llm": (3,), "tts": (4,)})
    together = planner.expected_ms(Machine(chip), EVEN, {"asr": (2,), "llm": (2,), "tts": (2,)})
    assert apart == pytest.approx(300 + planner.INTERRUPTED * 100)
    assert together == pytest.approx(200 + 200 + planner.INTERRUPTED * 300)  # the voice beside the mind


def test_a_voice_too_slow_for_its_own_words_is_expected_to_stutter() -> None:
    chip = Machine(Soc(cores={"all": Cores((0, 1))}))
    slow = EVEN | {"tts": Cost(second_ms=700)}
    apart = planner.expected_ms(chip, slow, {"asr": (0,), "llm": (0,), "tts": (1,)})
    beside = planner.expected_ms(chip, slow, {"asr": (0,), "llm": (1,), "tts": (1,)})
    first = 700 * planner.FIRST_S
    assert beside - apart == pytest.approx(first + 400, abs=0.25 * 200)  # 1.4 s for a second of sound


def test_the_boards_own_seats_are_tried_first(host: Board) -> None:
    found = planner.proposals(host, EVEN, 4)
    assert found[0] == OWN
    assert len(found) == 4
    assert OWN not in found[1:]


def test_a_model_on_an_accelerator_stays_there(host: Board) -> None:
    asr = replace(host.stages["asr"], npu_cores=(0,))
    on_npu = replace(host, stages=host.stages | {"asr": asr})
    assert all("asr" not in seats for seats in planner.proposals(on_npu, EVEN, 4))


def order(board: Board, *figures: Figures) -> list[int]:
    """In which order trials with such figures come out, the board's own being number 0."""
    found = [Trial({"asr": (place,)}, one) for place, one in enumerate(figures)]
    ranked: Sequence[Trial] = planner.ranked(board, found)
    return [next(iter(trial.seats.values()))[0] for trial in ranked]


def test_the_quickest_within_the_budget_is_the_best(host: Board) -> None:
    quick, fat = replace(GOOD, ready_ms=100), replace(GOOD, ready_ms=50, memory_mb=10_000)
    late = replace(GOOD, ready_ms=20, answer_ms=host.budget.first_answer_ms + 1)
    stuttering = replace(GOOD, ready_ms=10, gaps_ms=300)
    assert order(host, GOOD, fat, quick, late, stuttering) == [2, 0, 4, 3, 1]


def test_what_is_hardly_better_moves_nothing(host: Board) -> None:
    assert order(host, GOOD, replace(GOOD, ready_ms=191)) == [0, 1]
    assert order(host, GOOD, replace(GOOD, ready_ms=170)) == [1, 0]


def test_seats_that_cannot_be_tried_are_the_worst(host: Board, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    nothing = Path("/dev/null/sentence.wav")
    found = planner.tried_out(host, load_character("odette"), OWN, nothing)
    assert found.ready_ms == math.inf
    assert "could not be tried" in caplog.text
    assert order(host, found, GOOD) == [1, 0]


def test_figures_survive_the_way_out_of_their_process(
    host: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        trial, "measured", lambda board, *_: replace(GOOD, ready_ms=board.stages["asr"].cores[0])
    )
    monkeypatch.setattr(trial, "read_audio", lambda _: None)
    monkeypatch.setattr("sys.argv", ["trial", "host", "odette", str(tmp_path), json.dumps({"asr": [7]})])
    assert trial.main() == 0
    assert Figures(**json.loads(capsys.readouterr().out)) == replace(GOOD, ready_ms=7)


def test_a_broken_plan_is_an_error_for_whoever_asks(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("board: host\npined: true\n")
    with pytest.raises(ConfigError, match=r"plan.yaml:2:1: no key 'pined' here.*did you mean pinned"):
        plan.load(file)


def test_at_a_first_boot_nothing_is_tried_where_a_plan_fits(
    host: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(planner, "plan", lambda *_: [Trial(OWN, GOOD)])
    assert not plan.fits(host, tmp_path)
    assert main(["plan", "--once", "--out", str(tmp_path)]) == 0
    assert "best: asr [1]" in capsys.readouterr().out
    kept(host, tmp_path, OTHER)
    assert main(["plan", "--once", "--out", str(tmp_path)]) == 0
    assert "fits this board" in capsys.readouterr().out
    assert cores_of(plan.recall(host, tmp_path)) == dict(OTHER)
    plan.place(tmp_path).write_text("board: host\npinned: perhaps\n")
    assert main(["plan", "--once", "--out", str(tmp_path)]) == 0
    assert cores_of(plan.recall(host, tmp_path)) == dict(OWN)


def test_where_nothing_could_be_tried_or_kept_it_is_said(
    host: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    never = Figures(math.inf, math.inf, math.inf, math.inf)
    monkeypatch.setattr(planner, "plan", lambda *_: [Trial(OWN, never)])
    assert main(["plan", "--out", str(tmp_path)]) == 2
    assert "no seats could be tried" in capsys.readouterr().err and not plan.place(tmp_path).exists()
    monkeypatch.setattr(planner, "plan", lambda *_: [Trial(OWN, GOOD)])
    (tmp_path / "file").touch()
    assert main(["plan", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be kept" in capsys.readouterr().err
