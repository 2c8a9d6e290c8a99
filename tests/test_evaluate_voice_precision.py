"""The voice in other precisions: the same numbers where only their form changes, close ones where they are rounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from epsilon.ring import Samples
from tools.evaluate.voice import precision, variants
from tools.evaluate.voice.speakers import load_voice, of_style

FOLDER = Path("models/pocket/voice")
TEXT = "A short test."


def said(folder: Path) -> Samples:
    """What a folder's voice says."""
    return of_style(load_voice(str(folder))[0], "low").say(TEXT).dry


@pytest.fixture(scope="module")
def plain() -> Samples:
    return said(FOLDER)


def written(way: str, target: Path) -> Path:
    """The voice in a precision that needs no calibration."""
    return variants.write(FOLDER, target, variants.WAYS[way], {name: [] for name in variants.GRAPHS})


def test_widened_weights_are_the_same_numbers(plain: Samples, tmp_path: Path) -> None:
    folder = written("fp32", tmp_path)
    assert not (folder / "weights.bin").exists() and precision.size_mb(folder) > precision.size_mb(FOLDER)
    np.testing.assert_allclose(said(folder), plain, atol=1e-5)


def test_int8_weights_are_smaller_and_close(plain: Samples, tmp_path: Path) -> None:
    folder = written("int8 weights", tmp_path)
    assert precision.size_mb(folder) < precision.size_mb(FOLDER)
    assert 0 < precision.apart_db(said(folder), plain) < 2


def test_imitated_half_precision_is_spoken(plain: Samples, tmp_path: Path) -> None:
    sound = said(written(variants.IMITATED, tmp_path))
    assert np.isfinite(sound).all()
    assert len(sound) == pytest.approx(len(plain), rel=0.1)


def test_the_network_is_without_the_source() -> None:
    graph = variants.widened(onnx.load(FOLDER / "decoder.onnx"))
    names = [node.name for node in variants.network(graph)]
    assert "/decoder/blocks.0/look/Conv" in names and "/decoder/out/MatMul" in names
    assert not [name for name in names if variants.SOURCE in name]


def test_what_is_imitated_has_no_speed() -> None:
    speaker = of_style(load_voice(str(FOLDER))[0], "low")
    for way, known in ((variants.IMITATED, False), ("fp32", True)):
        subject = precision.Subject(way, "onnx", 1.0, speaker)
        sound = subject.time(TEXT)
        subject.compare(sound, sound)
        found = subject.figures()
        assert (found["real_time_factor"] is not None) is known
        assert found["distortion_db"] == found["f0_rmse_cents"] == found["symbols_moved_percent"] == 0
        assert found["understood_percent"] is None
