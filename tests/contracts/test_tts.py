"""Every voice, on tiny random weights (with and without streaming) and on the models that ship.

What streams is the whole, the first chunk is short and leaves first, and equal input gives equal sound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from epsilon.engines.protocols import Delivery
from epsilon.engines.tts.kokoro import Kokoro
from epsilon.engines.tts.kokoro_files import is_cut
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx
from tests.found import engines, load, load_shipped, shipped
from tests.models.tiny import VOICES

LONGEST_CHUNK_S = 0.25
TOLERANCE = 2e-4  # of full scale: 74 dB under it
TINY_PHRASE = list("abcdefghijklmnopabcdefghijklm")
PHRASE = "Well, hello there. What a strange day this is!"


@pytest.fixture(scope="module", params=[*VOICES, *shipped("tts")])
def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The engine, what to say, and the model's folder."""
    if request.param in shipped("tts"):
        return load_shipped(request.param)
    return load(VOICES[request.param](tmp_path_factory.mktemp("voice")))


@pytest.fixture
def steady(voice: Any) -> Any:
    """A voice that says the same twice."""
    if isinstance(voice, Kokoro) and not is_cut(voice.folder):
        pytest.skip("the graph, as it is published, draws noise anew for each phrase")
    return voice


@pytest.fixture
def phrase(voice: Any) -> list[str]:
    return TINY_PHRASE if "plain" in voice.styles else list(voice.spell(PHRASE, more=False).symbols)


def joined(voice: Any, phrase: list[str], style: str = "", speed: float = 1.0) -> Samples:
    name = style or next(iter(voice.styles))
    return np.concatenate(
        [chunk.samples for chunk in voice.speak(phrase, Delivery(voice.styles[name], speed))]
    )


def test_every_engine_is_held_to_this() -> None:
    assert set(engines("tts")) <= set(VOICES)


def test_the_first_chunk_leaves_long_before_the_last_and_none_is_long(voice: Any, phrase: list[str]) -> None:
    style = next(iter(voice.styles.values()))
    chunks = list(voice.speak(phrase, Delivery(style)))
    assert len(chunks) > 3
    assert all(chunk.sample_rate_hz == voice.sample_rate_hz >= 16_000 for chunk in chunks)
    assert all(0 < len(chunk.samples) <= LONGEST_CHUNK_S * voice.sample_rate_hz for chunk in chunks)
    assert len(chunks[0].samples) < sum(len(chunk.samples) for chunk in chunks) / 2
    assert all(chunk.samples.dtype == np.float32 and chunk.samples.ndim == 1 for chunk in chunks)


def test_what_streams_is_the_whole(voice: Any, phrase: list[str]) -> None:
    if isinstance(voice, Kokoro):
        pytest.skip("nearly so, and its graph draws noise: tests/test_kokoro.py says how near")
    graph = onnx.load(voice.folder / "model.onnx", Seat())
    for name, style in voice.styles.items():
        whole = graph(voice.feeds(phrase, Delivery(style, 1.1)))["audio"].reshape(-1)
        streamed = joined(voice, phrase, name, 1.1)
        assert streamed.shape == whole.shape
        np.testing.assert_allclose(streamed, whole, atol=TOLERANCE)


def test_the_first_chunk_says_where_each_symbol_ends(voice: Any, phrase: list[str]) -> None:
    first, *others = voice.speak(phrase, Delivery(next(iter(voice.styles.values()))))
    if isinstance(voice, Kokoro) and not is_cut(voice.folder):
        assert not first.ends  # the graph, as it was first published, does not tell
        return
    assert len(first.ends) == len(phrase) and not any(chunk.ends for chunk in others)
    assert list(first.ends) == sorted(first.ends)
    assert first.ends[-1] == len(first.samples) + sum(len(chunk.samples) for chunk in others)


def test_equal_input_gives_equal_sound(steady: Any, phrase: list[str]) -> None:
    np.testing.assert_array_equal(joined(steady, phrase), joined(steady, phrase))


def test_it_can_stop_after_the_first_chunk(steady: Any, phrase: list[str]) -> None:
    style = next(iter(steady.styles.values()))
    first = next(iter(steady.speak(phrase, Delivery(style))))
    np.testing.assert_array_equal(first.samples, joined(steady, phrase)[: len(first.samples)])


def test_sound_is_finite_and_within_bounds(voice: Any, phrase: list[str]) -> None:
    for name in voice.styles:
        sound = joined(voice, phrase, name)
        assert np.isfinite(sound).all() and 0.01 < np.abs(sound).max() <= 1.0


def test_styles_differ(voice: Any, phrase: list[str]) -> None:
    first, second, *_ = (joined(voice, phrase, name) for name in voice.styles)
    length = min(len(first), len(second))
    assert not np.allclose(first[:length], second[:length], atol=1e-3)


def test_the_shortest_phrase_is_spoken(voice: Any, phrase: list[str]) -> None:
    assert len(joined(voice, phrase[:1])) > 0


def test_an_unknown_symbol_is_named(voice: Any) -> None:
    with pytest.raises(ModelError, match="no symbol 'ZZZ'"):
        joined(voice, ["ZZZ"])


def test_a_voice_is_faster_when_asked(voice: Any, phrase: list[str]) -> None:
    if "plain" in voice.styles:
        pytest.skip("the tiny voice gives every symbol the same time")
    assert len(joined(voice, phrase, speed=1.5)) < 0.85 * len(joined(voice, phrase))
