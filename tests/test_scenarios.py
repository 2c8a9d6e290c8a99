"""Every scenario of tests/scenarios, played to a whole toy in lock-step; and what a mistake in one looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from epsilon.errors import ConfigError
from tools.scenarios import load_scenario, scenarios
from tools.scenarios.performance import Failed, Performance

LEAST = 25


def test_there_are_enough() -> None:
    assert len(scenarios()) >= LEAST


@pytest.mark.parametrize("path", scenarios(), ids=lambda path: path.stem)
def test_a_scenario_goes_as_it_says(path: Path, request: pytest.FixtureRequest) -> None:
    scenario = load_scenario(path)
    if scenario.needs:
        request.applymarker(pytest.mark.xfail(strict=True, raises=Failed, reason=scenario.needs))
    Performance(scenario).play()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: []", r":1:1: key 'about' is missing"),
        (
            "about: a\nsteps: [{sey: hello}]",
            r":2:10: no key 'sey' here; there are: .* \(did you mean say\?\)",
        ),
        ("about: a\nsteps: [{expect: repli}]", r":2:18: no such choice 'repli'; .* \(did you mean reply\?\)"),
        ("about: a\nsteps: [{pause: 3}]", r":2:17: expected a number with a unit: ms or s, found '3'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        load_scenario(tmp_path / "wrong.yaml")


def test_what_did_not_happen_is_told_with_what_did(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "about: it stops\nsteps: [{say: hello}, {expect: stop, within: 100 ms}]", encoding="utf-8"
    )
    with pytest.raises(Failed, match=r"it stops\nstep 2: stop within 100 ms: it did not come\n.* s  speech"):
        Performance(load_scenario(path)).play()
