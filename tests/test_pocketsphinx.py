"""The ears trained on people: what they hear, that streaming changes little, and that noise is no speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.ears import best_ears, with_ears
from epsilon.errors import ConfigError
from epsilon.ring import Samples
from tests.found import load_shipped
from tests.noises import make
from tests.sounds import RATE_HZ

PEOPLE = Path(__file__).parent / "people"
HOP_FRAMES = RATE_HZ


@pytest.fixture(scope="module")
def ears() -> Any:
    return load_shipped("pocket/topics")


def person(name: str) -> Samples:
    return read_audio(PEOPLE / name)


def streamed(ears: Any, sound: Samples) -> Iterator[Any]:
    hearing = ears.start()
    for first in range(0, len(sound), HOP_FRAMES):
        yield ears.hear(hearing, sound[first : first + HOP_FRAMES])
    yield ears.finish(hearing)


def test_a_person_is_heard(ears: Any) -> None:
    *partials, final = streamed(ears, person("goforward.wav"))
    assert final.committed == ("go", "forward", "ten", "meters") and final.tail == ()
    assert any(partial.tail for partial in partials)
    hearing = ears.start()
    ears.hear(hearing, person("goforward.wav"))
    assert ears.finish(hearing) == final


def test_committed_words_only_grow_and_finishing_costs_no_pass(
    ears: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    *partials, final = streamed(ears, person("cards-005.wav"))
    for earlier, later in zip(partials, [*partials[1:], final], strict=True):
        assert later.committed[: len(earlier.committed)] == earlier.committed
    hearing = ears.start()
    heard = ears.hear(hearing, person("cards-003.wav"))
    monkeypatch.setattr(ears, "recognise", None)
    assert ears.finish(hearing).committed == heard.committed + heard.tail


def test_the_past_leaves_no_trace(ears: Any) -> None:
    first = ears.recognise(pcm(person("cards-001.wav")))
    ears.recognise(pcm(make("sea", 1.0, 0.3, seed=1)))
    assert ears.recognise(pcm(person("cards-001.wav"))) == first


def pcm(sound: Samples) -> bytes:
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("kind", ["white", "hum", "sea", "chords", "flute", "silence"])
def test_noise_is_no_word(ears: Any, kind: str) -> None:
    assert ears.recognise(pcm(make(kind, 2.5, 0.3, seed=1))) == []


def test_long_speech_is_cut_and_keeps_its_beginning(ears: Any) -> None:
    sound = np.concatenate([person("goforward.wav")] * 6)  # 16.7 s
    hearing = ears.start()
    before = ears.hear(hearing, sound)
    assert len(hearing.sound) < 2 * len(sound)
    after = ears.hear(hearing, person("goforward.wav"))
    assert after.committed[: len(before.committed)] == before.committed
    assert ears.finish(hearing).committed[:4] == ("go", "forward", "ten", "meters")


def test_talk_prefers_ears_that_were_trained_on_people() -> None:
    board = load_board("host")
    choice = best_ears(board)
    assert choice.model != "pocket/ears" and "trained on people" in choice.reason
    own = replace(board.stages["asr"], model="somebody/else")
    named = replace(board, stages=board.stages | {"asr": own})
    assert best_ears(named).model == "somebody/else"


def test_ears_are_chosen_by_name() -> None:
    board = load_board("host")
    assert with_ears(board, None) is board
    settings = with_ears(board, "topics").stages["asr"]
    assert (settings.engine, settings.model) == ("pocketsphinx", "pocket/topics")
    assert settings.cores == board.stages["asr"].cores
    with pytest.raises(ConfigError, match=r"did you mean pocket/topics\?"):
        with_ears(board, "pocket/topic")
