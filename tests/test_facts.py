"""What a model says about itself: missing, damaged or of the wrong kind is named with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from epsilon.engines.facts import Facts, load_tokenizer
from epsilon.errors import ModelError


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    path = tmp_path / "model.yaml"
    path.write_text("start: [1, 2]\nend: 0\nspeed: 1.5\nname: toy\nsymbols: [a, b]\n")
    return Facts(path)


def test_facts_are_read(facts: Facts) -> None:
    assert (facts.wholes("start"), facts.whole("end"), facts.number("speed")) == ((1, 2), 0, 1.5)
    assert (facts.text("name"), facts.texts("symbols"), facts.number("other", 7)) == ("toy", ("a", "b"), 7)


def test_what_lacks_is_named_with_the_nearest(facts: Facts) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: lacks 'strat'.*did you mean start"):
        facts.wholes("strat")


@pytest.mark.parametrize("read", ["whole", "wholes", "number", "texts"])
def test_the_wrong_kind_is_named(facts: Facts, read: str) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: 'name' should be"):
        getattr(facts, read)("name")
    with pytest.raises(ModelError, match="'end' should be text"):
        facts.text("end")


@pytest.mark.parametrize("content", ["- 1\n", "a: [", "\x00", ""])
def test_damaged_files_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"model\.yaml"):
        Facts(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: cannot be read"):
        Facts(tmp_path / "model.yaml")
    with pytest.raises(ModelError, match=r"tokenizer\.json: cannot be read"):
        load_tokenizer(tmp_path / "tokenizer.json")


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    for content in ("", "{}", '{"model": 3}', "\x00\x01"):
        path = tmp_path / "tokenizer.json"
        path.write_text(content)
        with pytest.raises(ModelError, match=r"tokenizer\.json: is not a tokenizer"):
            load_tokenizer(path)
