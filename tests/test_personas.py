"""A baked persona is loaded by memory map, and never one of other words or another model."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from epsilon.config.models import File, Model
from epsilon.engines.llm.personas import Place

IDS = [1, 5, 7]
STORED = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    files = {"model.onnx": File("ab" * 32, 10)}
    return Place(Model("tiny", tmp_path, "llm", "mistral", "-", "-", "-", files), "onnx", "odette")


def test_what_was_baked_is_mapped_and_not_read(place: Place) -> None:
    place.save(IDS, STORED)
    loaded = place.load(IDS)
    assert isinstance(loaded, np.memmap)
    np.testing.assert_array_equal(loaded, STORED)


def test_none_is_baked_at_first(place: Place) -> None:
    assert place.load(IDS) is None


def test_other_words_or_weights_make_it_out_of_date(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.save(IDS, STORED)
    with caplog.at_level(logging.WARNING):
        assert place.load([*IDS, 8]) is None
        other = replace(place.model, files={"model.onnx": File("cd" * 32, 10)})
        assert replace(place, model=other).load(IDS) is None
    assert caplog.text.count("make personas") == 2


def test_each_runtime_and_character_has_its_own(place: Place) -> None:
    place.save(IDS, STORED)
    assert replace(place, runtime="mlc").load(IDS) is None
    assert replace(place, character="bram").load(IDS) is None


def test_one_that_was_half_written_is_not_loaded(place: Place) -> None:
    place.save(IDS, STORED)
    place.facts.unlink()
    assert place.load(IDS) is None
