"""Emulation: what a run writes down, the same twice, with scripted engines so that every word is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import epsilon.parts
import epsilon.toy
from epsilon.config.board import Board, TurnRule, load_board
from epsilon.config.character import load_character
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.runner import Emulation
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.takes.checks import LOCKSTEP, REALTIME
from tests import scripted

RATE_HZ = 16_000
LINES = ["hello little swan", "what do you like best"]
REPLIES = ["Oh, hello! How are you today?", "Puddles, of course."]


def speech(seconds: float) -> Samples:
    """What the scripted ears take for speech."""
    return (0.3 * np.sin(np.arange(int(RATE_HZ * seconds)) / 5)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE_HZ * seconds), np.float32)


def board() -> Board:
    """The host, with no model that hears the end of a turn: hums have no melody."""
    return replace(load_board("host"), turn=TurnRule())


def emulate(
    monkeypatch: pytest.MonkeyPatch,
    recordings: list[Samples],
    pace: str = LOCKSTEP,
    lines: list[str] = LINES,
    replies: list[str] = REPLIES,
) -> tuple[Outcome, list[News]]:
    made = scripted.engines(lines, replies)
    for module in (epsilon.toy, epsilon.parts):
        monkeypatch.setattr(module, "load_engine", lambda board, stage: made[stage])
    emulation = Emulation(board(), load_character("odette"), recordings, pace)
    news: list[News] = []
    return emulation.run(news.append), news


def user(turn: dict[str, Any]) -> str:
    return str(turn["user"]["text"])


CONVERSATION = [np.concatenate([silence(0.5), speech(1.0), silence(4.0), speech(1.2), silence(1.0)])]


@pytest.mark.parametrize("pace", [LOCKSTEP, pytest.param(REALTIME, marks=pytest.mark.slow)])
def test_a_conversation_of_two_turns(monkeypatch: pytest.MonkeyPatch, pace: str) -> None:
    outcome, _ = emulate(monkeypatch, CONVERSATION, pace)
    first, second = outcome.conversation["turns"]
    assert [user(first), user(second)] == LINES
    assert [turn["replies"][0]["text"] for turn in (first, second)] == REPLIES
    assert [turn["replies"][0]["heard"] for turn in (first, second)] == REPLIES
    assert first["user"]["start_s"] == pytest.approx(0.5, abs=0.1)
    assert first["user"]["end_s"] == pytest.approx(1.5, abs=0.1)
    reply = first["replies"][0]
    assert reply["start_s"] - first["user"]["end_s"] == pytest.approx(
        first["tifu"]["answer_ms"] / 1000, abs=0.02
    )
    left = outcome.reply[int(reply["start_s"] * RATE_HZ) : int(reply["end_s"] * RATE_HZ) - 400]
    assert np.abs(left).max() == pytest.approx(0.3, abs=0.05)
    assert outcome.conversation["counts"] == {"overruns": 0, "underruns": 0, "stale": 0, "laps": 0}
    assert not first["cut_in"] and not first["silent"]
    assert set(outcome.conversation) == {
        *("board", "character", "models", "pace", "turns", "counts", "process")
    }


@pytest.mark.slow
def test_parts_of_tifu_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = emulate(monkeypatch, CONVERSATION, REALTIME)
    tifu = outcome.conversation["turns"][0]["tifu"]
    parts = ("dead_air_ms", "asr_ms", "prefill_ms", "decode_ms", "tts_ms", "card_ms")
    assert sum(tifu[part] for part in parts) == pytest.approx(tifu["answer_ms"], abs=1)
    assert 290 <= tifu["dead_air_ms"] <= 450
    assert outcome.conversation["process"]["rss_mb"] > 10


def test_lockstep_twice_is_alike_to_the_bit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("once", "again"):
        emulate(monkeypatch, CONVERSATION)[0].write(tmp_path / name)
    for file in ("conversation.json", "reply.wav", "mix.wav"):
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    assert sorted(path.name for path in (tmp_path / "once").iterdir()) == [
        *("conversation.json", "mix.wav", "reply.wav")
    ]


def test_the_files_hold_both_sides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome, _ = emulate(monkeypatch, CONVERSATION)
    outcome.write(tmp_path)
    mix, rate_hz = soundfile.read(tmp_path / "mix.wav")
    reply, _ = soundfile.read(tmp_path / "reply.wav")
    assert rate_hz == RATE_HZ and mix.shape == (len(reply), 2)
    np.testing.assert_allclose(mix[: len(CONVERSATION[0]), 0], CONVERSATION[0], atol=1e-4)
    np.testing.assert_array_equal(mix[:, 1], reply)
    assert json.loads((tmp_path / "conversation.json").read_text())["board"] == "host"


def test_several_recordings_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = emulate(monkeypatch, [speech(1.0), speech(1.2)])
    first, second = outcome.conversation["turns"]
    assert [user(first), user(second)] == LINES
    assert second["user"]["start_s"] >= first["replies"][0]["end_s"]
    assert first["replies"][0]["heard"] == REPLIES[0]


def test_who_interrupts_is_heard_and_the_rest_was_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.concatenate([silence(0.5), speech(1.0), silence(1.2), speech(1.0), silence(1.0)])
    outcome, news = emulate(monkeypatch, [sound])
    first, second = outcome.conversation["turns"]
    heard = first["replies"][0]["heard"]
    assert heard != REPLIES[0] and REPLIES[0].startswith(heard)
    assert [one.what for one in news].count("cut") == 1
    assert second["replies"][0]["heard"] == REPLIES[1]
    speech_at_s = second["user"]["start_s"]
    gone = outcome.reply[int((speech_at_s + 0.45) * RATE_HZ) : int((speech_at_s + 0.9) * RATE_HZ)]
    assert not gone.any(), "the toy must be silent 150 ms after it knows that it is interrupted"


def test_the_conversation_holds_the_words_that_had_left_when_the_user_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = np.concatenate([silence(0.5), speech(1.0), silence(1.2), speech(1.0), silence(1.0)])
    made = scripted.engines(LINES, REPLIES)
    for module in (epsilon.toy, epsilon.parts):
        monkeypatch.setattr(module, "load_engine", lambda board, stage: made[stage])
    outcome = Emulation(board(), load_character("odette"), [sound], LOCKSTEP).run(lambda news: None)
    first, second = outcome.conversation["turns"]
    heard = first["replies"][0]["heard"]
    left = np.flatnonzero(outcome.reply[: int(second["replies"][0]["start_s"] * RATE_HZ)])
    letters = (left[-1] - left[0]) / scripted.PHONEME_FRAMES
    ends = np.cumsum([len(word) for word in REPLIES[0].split()])
    middles = (ends + [0, *ends[:-1]]) / 2
    assert heard.split() == REPLIES[0].split()[: np.count_nonzero(middles <= letters)]
    assert made["llm"].prompts[-1].endswith(f"{LINES[0]} {heard} {LINES[1]}")


def test_nothing_to_say_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = emulate(monkeypatch, [np.concatenate([speech(1.0), silence(2.0)])], replies=[""])
    (turn,) = outcome.conversation["turns"]
    assert turn["silent"] and turn["replies"] == []
    assert set(turn["tifu"].values()) == {None}
    assert not outcome.reply.any()


def test_silence_makes_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, news = emulate(monkeypatch, [silence(3.0)])
    assert outcome.conversation["turns"] == [] and news == []
    assert len(outcome.reply) == 3 * RATE_HZ
