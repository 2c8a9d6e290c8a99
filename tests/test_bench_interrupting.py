"""The bench of interruptions: what counts as a wrong stop and as missed, and a few trials with a whole toy."""

from __future__ import annotations

import pytest

from tools.bench.turns.interrupting import Trial, report, trials


def test_words_should_end_a_reply_and_nothing_else_should() -> None:
    for kind, ended, wrong, missed in (
        ("words", True, False, False),
        ("words", False, False, True),
        ("cough", True, True, False),
        ("cough", False, False, False),
    ):
        trial = Trial(kind, None, ended, False, ())
        assert (trial.wrong_stop, trial.missed) == (wrong, missed)


def test_the_table_has_a_line_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    report([Trial("words", 120.0, True, False, ()), Trial("hum", 90.0, False, True, (30.0,))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["words", "1", "1", "120", "120", "1", "0", "0", "0"]
    assert lines[-1].endswith("1 in 2 conversations: p95 30 ms, max 30 ms")


@pytest.mark.slow
def test_a_seed_gives_the_same_trials_and_words_are_heard() -> None:
    found = list(trials(4, seed=6, echo=False, kinds=("words", "nothing")))
    assert [trial.kind for trial in found] == ["words", "nothing"] * 2
    for trial in found:
        assert (trial.down_ms is not None) == (trial.kind == "words")
        assert not trial.wrong_stop and not trial.missed
    assert list(trials(1, seed=6, echo=False, kinds=("words",))) == found[:1]
