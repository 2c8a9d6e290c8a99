"""Soaking: who the users are, what an hour comes to, and what of many hours is called wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from epsilon.__main__ import main
from epsilon.clock import ManualClock
from epsilon.config.board import load_board
from epsilon.emulation import users, verdict
from epsilon.emulation.soak import Hour, HoursCard
from epsilon.emulation.users import SAY, Act, User, load_persona
from epsilon.errors import ConfigError

WELL = Hour(40, 40, 0, 1, 0, 200.0, 4, 30, [600.0, 800.0])


def visit(name: str, seed: int, reply: str = "Is it?") -> list[Act]:
    user = User(load_persona(name), seed)
    user.come()
    acts = []
    while not user.leaves:
        acts.append(user.act(reply))
    return acts


@pytest.mark.parametrize("name", users.names())
def test_a_persona_says_the_same_for_the_same_seed(name: str) -> None:
    assert visit(name, 3) == visit(name, 3) != visit(name, 4)
    assert len(visit(name, 3)) == load_persona(name).turns + 1


def test_who_tells_a_name_asks_for_it_at_the_end() -> None:
    acts = visit("mira", 1)
    assert acts[1].text == "my name is mira" and acts[-1].text == "what is my name"


def test_questions_of_the_toy_are_answered_more_often_than_not() -> None:
    persona = replace(load_persona("mira"), turns=300)
    user = User(persona, 1)
    said = [act.text for act in (user.act("Do you?") for _ in range(300)) if act.kind == SAY]
    assert 0.4 < sum(text in persona.answers for text in said) / len(said) < 0.7
    silent = User(persona, 1)
    assert not any(silent.act("I do.").text in persona.answers for _ in range(300))


def test_an_unknown_user_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no user 'mirra'; there are: .* \(did you mean mira\?\)"):
        load_persona("mirra")


def test_a_card_for_hours_forgets_and_plays_on() -> None:
    clock = ManualClock()
    card = HoursCard(load_board("host").audio, clock, np.zeros(0, np.float32))
    card.start()
    heard = []
    for number in range(1, 7):
        if number % 2:
            card.play(np.full(card.block_frames, number, np.float32))
        clock.advance_to(card.time_of(number * card.block_frames))
        block = card.read()
        assert block is not None
        heard.append(float(block.mean()))
    assert heard == [1, 0, 3, 0, 5, 0]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"rss_mb": 260.0}, r"memory grows by \d"),
        ({"threads": 9}, "threads: 4 after the first hour, 9 at the end"),
        ({"files": 31}, "files: 30 after"),
        ({"longest_repeat": 3}, "the same reply 3 times in a row"),
        ({"lost": 2}, "2 blocks of sound"),
        ({"tifu_ms": [900.0]}, "p95 of TIFU: 800 ms at first, 900 ms at the end"),
    ],
)
def test_what_is_wrong_is_said(spoilt: dict[str, object], said: str) -> None:
    good = [WELL] * 24
    assert list(verdict.faults(good)) == []
    (wrong,) = verdict.faults([*good[:-6], *[replace(WELL, **spoilt) for _ in range(6)]])  # type: ignore[arg-type]
    assert re.search(said, wrong)


def test_the_command_plays_a_few_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", "--hours", "0.05", "--user", "mira"]) == 0
    told = capsys.readouterr().out
    assert "odette on host, visited by mira" in told and "nothing adds up" in told


@pytest.mark.parametrize("hours", ["nan", "inf", "-1", "0", "a day"])
def test_hours_that_are_none_are_refused(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["soak", f"--hours={hours}"])
    assert end.value.code == 2 and "hours" in capsys.readouterr().err
