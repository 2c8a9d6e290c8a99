"""A board's pace: lock-step where nothing costs anything, later where it does, the same twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import epsilon.emulation.paced
import epsilon.parts
import epsilon.toy
from epsilon.clock import ManualClock
from epsilon.config.board import Board, TurnRule, load_board
from epsilon.config.character import load_character
from epsilon.config.machine import Cores, Cost, Soc
from epsilon.devices.wav import WavCard
from epsilon.emulation import paced
from epsilon.emulation.costs import cost_of
from epsilon.emulation.lockstep import LockStep
from epsilon.emulation.runner import Emulation
from epsilon.errors import ConfigError, StageDied
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.takes.checks import LOCKSTEP
from epsilon.toy import Toy
from tests import scripted

RATE_HZ = 16_000
LINES = ["hello little swan", "what do you like best"]
REPLIES = ["Oh, hello! How are you today?", "Puddles, of course. I like them all."]
FREE = {name: Cost() for name in ("pocket/ears", "pocket/mind", "pocket/voice", "silero", "kalman")}
SLOW = FREE | {
    "pocket/ears": Cost(pass_ms=150, second_ms=50),
    "pocket/mind": Cost(pass_ms=30, prefill_ms=4, token_ms=60),
    "pocket/voice": Cost(pass_ms=200, second_ms=300),
}
ONE_CORE = Soc(cores={"only": Cores((0, 1))})


def board(costs: dict[str, Cost]) -> Board:
    """The host, whose engines cost so much; without what needs a real model: openers, and hums have no melody."""
    return replace(load_board("host"), turn=TurnRule(opener_after_ms=5_000), costs=costs, soc=ONE_CORE)


def sound() -> Samples:
    """Two utterances."""
    speech = (0.3 * np.sin(np.arange(2 * RATE_HZ) / 5)).astype(np.float32)
    pause = np.zeros(4 * RATE_HZ, np.float32)
    return np.concatenate((pause[:RATE_HZ], speech, pause, speech))


Played = tuple[list[News], Samples, Toy]


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripted engines in place of those that are loaded, new ones for each toy."""
    made: dict[str, Any] = {}

    def load(board: Board, stage: str) -> Any:
        if stage == "tts":  # the first that a toy loads
            made.update(scripted.engines(LINES, REPLIES))
        return made[stage]

    for module in (epsilon.toy, epsilon.parts, epsilon.emulation.paced):
        monkeypatch.setattr(module, "load_engine", load)
    yield


def play(costs: dict[str, Cost] | None, **changes: Any) -> Played:
    """A conversation in lock-step, or at the pace that the costs make."""
    slow, clock = replace(board(costs or {}), **changes), ManualClock()
    card = WavCard(slow.audio, clock, sound())
    time: LockStep | paced.PacedStep
    if costs is None:
        toy = Toy(slow, load_character("odette"), card, clock)
        time = LockStep(toy, card, clock)
    else:
        toy, time = paced.build(slow, load_character("odette"), card, clock)
    card.start()
    news: list[News] = []
    while clock.now() < 20:
        news += time.pass_block()
    if isinstance(time, paced.PacedStep):
        time.close()
    return news, card.reply(), toy


def first_ms(played: Played) -> dict[str, float]:
    """TIFU and its parts of the first answer."""
    toy = played[2]
    return toy.journal.tifu_ms(toy.journal.turns[0])


@pytest.mark.usefixtures("scripts")
def test_a_board_on_which_nothing_costs_anything_is_lock_step() -> None:
    ours, theirs = play(FREE), play(None)
    assert ours[0] == theirs[0]
    assert np.array_equal(ours[1], theirs[1])
    assert [turn.user_text for turn in theirs[2].journal.turns] == LINES


@pytest.mark.usefixtures("scripts")
def test_a_slow_board_says_the_same_later_and_twice_alike() -> None:
    slow, again, quick = play(SLOW), play(SLOW), play(FREE)
    assert slow[0] == again[0]
    assert np.array_equal(slow[1], again[1])
    assert first_ms(slow)["answer_ms"] > first_ms(quick)["answer_ms"] + 100
    assert [turn.user_text for turn in slow[2].journal.turns] == LINES


@pytest.mark.usefixtures("scripts")
def test_faster_cores_are_answered_sooner() -> None:
    usual = first_ms(play(SLOW))["answer_ms"]
    fast = first_ms(play(SLOW, soc=Soc(cores={"fast": Cores((0, 1), speed=4.0)})))["answer_ms"]
    slow = first_ms(play(SLOW, soc=Soc(cores={"slow": Cores((0, 1), speed=0.5)})))["answer_ms"]
    assert fast < usual < slow


@pytest.mark.usefixtures("scripts")
def test_who_sits_alone_is_answered_sooner_than_all_on_one_core() -> None:
    """Ears and mind share no core with the voice, whose second phrase is made while the mind goes on."""
    stages = load_board("host").stages
    together = {name: replace(stage, cores=(0,)) for name, stage in stages.items()}
    apart = play(SLOW, stages=stages)
    crowded = play(SLOW, stages=together)

    def thought(played: Played) -> float:
        return max(news.time_s for news in played[0] if news.what == "token" and news.mark.turn == 1)

    assert thought(apart) < thought(crowded)


@pytest.mark.usefixtures("scripts")
def test_a_stage_that_dies_ends_the_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted.ScriptedEars, "hear", lambda *_: 1 / 0)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    with pytest.raises(StageDied, match="asr died: ZeroDivisionError"):
        play(SLOW)


@pytest.mark.usefixtures("scripts")
def test_an_emulation_goes_at_the_pace_of_another_board() -> None:
    host, slow = board(FREE), board(SLOW)
    runs = [
        Emulation(host, load_character("odette"), [sound()], LOCKSTEP, pace_of=pace).run(lambda _: None)
        for pace in (None, host, slow, slow)
    ]
    usual, free, late, again = (run.conversation["turns"] for run in runs)
    assert usual == free
    assert late == again
    assert late[0]["tifu"]["answer_ms"] > usual[0]["tifu"]["answer_ms"]
    assert late[0]["replies"][0]["text"] == usual[0]["replies"][0]["text"]


def test_a_model_that_nobody_has_measured_is_named() -> None:
    strange = load_board("host")
    asr = replace(strange.stages["asr"], model="pocket/topics")
    with pytest.raises(
        ConfigError, match=r"nobody has said what the model 'pocket/topics' costs.*pocket/ears"
    ):
        cost_of(replace(strange, stages=strange.stages | {"asr": asr}, costs=SLOW), "asr")


def test_a_row_of_the_host_is_scaled_to_an_accelerator() -> None:
    base = load_board("host")
    soc = Soc(cores={"big": Cores((0,), speed=0.5)}, npu="npu", npu_cores=3)
    asr = replace(base.stages["asr"], runtime="rknn", npu_cores=(0,))
    scaled = cost_of(replace(base, soc=soc, stages=base.stages | {"asr": asr}, costs={}), "asr")
    assert scaled.on == "npu"
    assert scaled.pass_ms == pytest.approx(2 * base.costs["pocket/ears"].pass_ms)
