"""Faults: each has a scenario, a mistake in one is told, and a toy that died is started again on the same time line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from epsilon.__main__ import main
from epsilon.config.document import Text
from epsilon.emulation import faults
from epsilon.errors import ConfigError
from tools.scenarios import load_scenario, scenarios
from tools.scenarios.performance import RATE_HZ, Event
from tools.scenarios.table import Row, lines, row_of

SPEECH = "tests/takes/three-turns/in.wav"


def test_every_fault_has_a_scenario() -> None:
    named = [table.items["name"] for path in scenarios() for table in load_scenario(path).faults]
    assert {name.value for name in named if isinstance(name, Text)} == set(faults.names())


def test_a_fault_says_when_it_is_on() -> None:
    fault = faults.parse("raises:stage=asr,at=2s,for=500ms")
    assert [fault.is_on(now_s) for now_s in (1.9, 2.0, 2.4, 2.5)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unpluged", r"no fault 'unpluged'; there are: .* \(did you mean unplugged\?\)"),
        ("raises:stage=lm", r"no such choice 'lm'; there are: .* \(did you mean llm\?\)"),
        ("raises:at=1", r"expected a number with a unit: ms or s, found '1'"),
        ("raises:att=1s", r"no key 'att' here; .* \(did you mean at\?\)"),
        ("raises:at", r"'at' should be KEY=VALUE"),
    ],
)
def test_a_mistake_in_one_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"^--fault {text}: {told}"):
        faults.parse(text)


def test_a_conversation_goes_on_after_a_death(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = ["--fault", "raises:stage=llm,at=1s,for=2s", "--out", str(tmp_path)]
    assert main(["emulate", SPEECH, *broken]) == 0
    told = capsys.readouterr().out
    assert "died the engine of llm raised on purpose" in told and told.count("toy  born") == 2
    conversation = json.loads((tmp_path / "conversation.json").read_text())
    assert conversation["deaths"] == 1
    turns = [turn for turn in conversation["turns"] if turn["replies"]]
    assert [turn["user"]["text"] for turn in turns] == ["do you talk to the moon", "why do you like puddles"]
    starts = [turn["user"]["start_s"] for turn in turns]
    assert 4 < starts[0] < starts[1] < 17  # where they lie in the recording


@pytest.mark.parametrize("more", [["--pace", "realtime"], ["--take", "x"], ["--as", "host"]])
def test_a_broken_toy_lives_in_lock_step_alone(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", SPEECH, "--fault", "unplugged", *more]) == 2
    assert "in lock-step, without --take and --as" in capsys.readouterr().err


def test_the_table_has_the_first_sign_and_the_return() -> None:
    path = next(path for path in scenarios() if path.stem == "unplugged")  # from 2 s to 5 s
    events = [
        Event("card gone", 40_000, ""),
        Event("light", 41_600, "trouble"),
        Event("card back", 5 * RATE_HZ + 800, ""),
        Event("light", 81_600, "listening"),
    ]
    row = row_of(load_scenario(path), events)
    assert row == Row("unplugged", 0.1, "light: trouble", 0.05)
    assert list(lines([row]))[-1] == "| unplugged | light: trouble, 0.1 s | 0.1 s |"


def test_a_full_disk_of_the_toy_is_not_that_of_whoever_looks_on(tmp_path: Path) -> None:
    with (tmp_path / "shown").open("w") as file, contextlib.redirect_stdout(file):
        assert main(["emulate", SPEECH, "--fault", "disk_full:at=0s,for=60s"]) == 0
    assert (tmp_path / "shown").read_text().count("odette  ") >= 3
