"""The bench of turns: what counts as cut into, what a way to find the end costs, and the drawing of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from epsilon.engines.protocols import Thought
from tools.bench.turns import policies
from tools.bench.turns.__main__ import spread
from tools.bench.turns.picture import draw
from tools.bench.turns.playing import Glance, Played, play_all, watch_all
from tools.scenarios.performance import spoken
from tools.turns.labels import Label

LABEL = Label("turn.wav", end_s=2.0)
RATE_HZ = 16_000


def turn(pause_ms: float, odds_in_pause: float, odds_at_end: float) -> list[Glance]:
    """A silence inside the turn, which ends 500 ms before the turn does, and the one behind it."""
    inside = [
        Glance(float(-500 - pause_ms + ms), float(ms), Thought(("and",), 0.1), odds_in_pause)
        for ms in np.arange(32, pause_ms, 32)
    ]
    behind = [
        Glance(float(ms), float(ms), Thought(("cake",), 0.9), odds_at_end) for ms in np.arange(32, 2200, 32)
    ]
    return inside + behind


def test_an_answer_that_sounds_before_the_end_was_cut_in_and_has_no_tifu() -> None:
    early = Played(LABEL, decisions_ms=[-300.0, 200.0], sounds_ms=[-250.0, 300.0], answers_ms=[-250.0, 300.0])
    assert early.cut_in and early.tifu_ms is None and early.dead_air_ms is None
    timely = Played(LABEL, decisions_ms=[200.0], sounds_ms=[260.0], answers_ms=[260.0])
    assert not timely.cut_in and (timely.tifu_ms, timely.dead_air_ms) == (260.0, 200.0)


def test_a_decision_that_was_taken_back_before_anything_sounded_is_no_cut_in() -> None:
    assert not Played(LABEL, decisions_ms=[-40.0, 200.0], sounds_ms=[260.0]).cut_in


def test_silence_is_an_answer_and_no_words_are_no_question() -> None:
    assert Played(LABEL, words="hello").missed
    assert not Played(LABEL, words="hello", silent=True).missed
    assert not Played(LABEL).missed


def test_a_timer_costs_what_its_silence_is_and_cuts_into_longer_pauses() -> None:
    turns = [turn(pause_ms, 0, 0) for pause_ms in (200, 400, 800, 1200)]
    points = policies.curve(turns, policies.timer, [320, 640, 1600])
    assert [point.cut_in for point in points] == [0.75, 0.5, 0]
    assert [point.median_ms for point in points] == [320, 640, 1600]


def test_who_hears_the_end_waits_less_at_as_many_cut_ins() -> None:
    turns = [turn(pause_ms, odds_in_pause=-3, odds_at_end=3) for pause_ms in (200, 400, 800, 1200)]
    best = policies.at_cut_ins(policies.curve(turns, policies.sound, [-4, 0, 4]), 0.05)
    assert best is not None and best.setting == 0 and best.median_ms == 32


def test_the_mind_shortens_the_wait_behind_a_finished_thought() -> None:
    (point,) = policies.curve([turn(400, 0, 0)], policies.words, [640])
    assert point.cut_in == 0 and point.median_ms < 500


def test_where_no_setting_is_careful_enough_nothing_is_said() -> None:
    turns = [turn(1900, 0, 0)]
    assert policies.at_cut_ins(policies.curve(turns, policies.timer, [100, 1000]), 0.05) is None


def test_spread_is_median_mean_and_95th_percentile() -> None:
    assert spread([100.0, 200.0, 600.0]) == (200, 300, 560)
    assert spread([]) == ("-", "-", "-")


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    points = policies.curve([turn(400, 0, 0)], policies.timer, [320, 640, 1600])
    draw(tmp_path / "new" / "curves.svg", "a < b", {"timer": points})
    drawn = (tmp_path / "new" / "curves.svg").read_text(encoding="utf-8")
    assert "a &lt; b" in drawn and drawn.count("<polyline") == 1


@pytest.mark.slow
def test_turns_are_played_to_a_whole_toy_and_watched() -> None:
    speech = spoken("low", "What is your name?")
    loud = np.flatnonzero(np.abs(speech) > 0.02)
    samples = np.pad(speech, (RATE_HZ // 2, 2 * RATE_HZ)).astype(np.float32)
    label = Label("name.wav", end_s=0.5 + int(loud[-1]) / RATE_HZ, text="what is your name")
    (played,) = play_all([(samples, label)], "host", "odette")
    assert played.words == "what is your name" and not played.cut_in
    assert played.tifu_ms is not None and played.dead_air_ms is not None
    assert 0 <= played.dead_air_ms < played.tifu_ms
    (glances,) = watch_all([(samples, label)], "host", "odette", longest_ms=1500)
    assert max(glance.silence_ms for glance in glances) > 1400, "nothing ended the turn before"
