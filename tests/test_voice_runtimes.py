"""The voice that ships on every runtime for CPUs: the same sound, in pieces as at once, for phrases of any length."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from epsilon.config.models import find_model
from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import styletts2
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx, openvino

FOLDER = Path("models/pocket/voice").resolve()
STREAMED = 2e-4  # of full scale: a runtime against itself, in pieces and at once
DECODED = 2e-4  # two runtimes that make the same frames
LIKE_ONNX = 0.999  # the least cosine of whole phrases: the phase of the pulses adds up what differs in F0
PHRASES = ("Oh!", "Please put the blue cup next to the kettle.", "One, two, three, four. " * 6)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


@pytest.fixture(scope="module", params=[onnx, openvino], ids=["onnx", "openvino"])
def runtime(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


@pytest.fixture(scope="module")
def voice(runtime: ModuleType) -> Any:
    return styletts2.load(find_model("pocket/voice"), runtime, Seat())


@pytest.fixture(scope="module")
def reference() -> Any:
    """The voice on onnxruntime."""
    return styletts2.load(find_model("pocket/voice"), onnx, Seat())


def said(voice: Any, text: str, style: str = "low", speed: float = 1.0) -> tuple[Samples, tuple[int, ...]]:
    """Samples and where each symbol ends."""
    chunks = list(voice.speak(voice.spell(text, False).symbols, Delivery(voice.styles[style], speed)))
    return np.concatenate([chunk.samples for chunk in chunks]), chunks[0].ends


def cosine(one: Samples, other: Samples) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


@pytest.mark.parametrize("text", PHRASES)
def test_symbols_last_as_long_and_sound_as_on_onnxruntime(voice: Any, reference: Any, text: str) -> None:
    for style in ("bright", "low"):
        sound, ends = said(voice, text, style)
        wanted, wanted_ends = said(reference, text, style)
        assert ends == wanted_ends and sound.shape == wanted.shape
        assert cosine(sound, wanted) > LIKE_ONNX


@pytest.mark.parametrize("text", PHRASES)
def test_what_streams_is_the_whole(voice: Any, runtime: ModuleType, text: str) -> None:
    graph = runtime.load(FOLDER / "model.onnx", Seat())
    delivery = Delivery(voice.styles["low"], 0.9)
    whole = graph(voice.feeds(voice.spell(text, False).symbols, delivery))["audio"].reshape(-1)
    streamed, _ = said(voice, text, speed=0.9)
    np.testing.assert_allclose(streamed, whole, atol=STREAMED)


def test_the_same_text_gives_the_same_samples(runtime: ModuleType, reference: Any) -> None:
    style, text, wanted = (onnx.load(FOLDER / f"{name}.onnx", Seat()) for name in styletts2.STREAMING)
    feeds = reference.feeds(reference.spell(PHRASES[1], False).symbols, Delivery(reference.styles["low"]))
    for graph in (style, text):
        feeds |= graph({name: feeds[name] for name in graph.inputs})
    feeds |= {"span": np.array([30, 50]), "phase": np.array([0.25], np.float32)}
    feeds["durations"] = np.array(feeds["durations"].tolist())  # OpenVINO does not take onnxruntime's int64
    asked = {name: feeds[name] for name in wanted.inputs}
    found = runtime.load(FOLDER / "decoder.onnx", Seat())(asked)
    np.testing.assert_allclose(found["audio"], wanted(asked)["audio"], atol=DECODED)


def test_every_length_is_taken_and_said_twice_alike(voice: Any) -> None:
    symbols = voice.spell("A rather long walk over the hills and far away.", False).symbols
    for count in (1, 2, 3, 7, 20, len(symbols)):
        delivery = Delivery(voice.styles["bright"])
        first, again = (
            np.concatenate([chunk.samples for chunk in voice.speak(symbols[:count], delivery)])
            for _ in range(2)
        )
        assert len(first) and np.isfinite(first).all()
        np.testing.assert_array_equal(first, again)


def test_nothing_is_written_to_the_disk(
    runtime: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled kernels stay in memory: no cache in the home folder or where the toy was started."""
    model = find_model("pocket/voice")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    said(styletts2.load(model, runtime, Seat()), PHRASES[0])
    assert list(tmp_path.iterdir()) == []
