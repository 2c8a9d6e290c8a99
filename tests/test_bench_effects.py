"""The effects' bench: a row for every effect and character, and a message for a character that is not there."""

from __future__ import annotations

import sys

import pytest

from epsilon.config import folders
from tools.bench import effects as bench


def test_every_effect_and_every_chain_has_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["effects"])
    monkeypatch.setattr(bench, "SECONDS", 1)
    monkeypatch.setattr(bench, "ROUNDS", 1)
    assert bench.main() == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    names = [*folders.loadable_names("effects"), *folders.character_names()]
    assert [row.split()[0] for row in rows] == names


def test_an_unknown_character_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["effects", "--character", "bramm"])
    assert bench.main() == 2
    assert "did you mean bram?" in capsys.readouterr().err
