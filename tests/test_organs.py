"""The ears alone hear every hop, however long the recogniser takes: the same sound gives the same words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from epsilon import organs
from epsilon.config.board import load_board
from epsilon.engines.protocols import Hypothesis
from epsilon.ring import Samples
from tests.scripted import LoudnessDetector
from tests.sounds import vowels


class Counter:
    """Counts its passes, each of which takes a while."""

    def __init__(self, pass_s: float) -> None:
        self.pass_s, self.passes = pass_s, 0

    def start(self) -> None:
        """No state."""

    def hear(self, hearing: None, samples: Samples) -> Hypothesis:
        self.passes += 1
        time.sleep(self.pass_s)
        return Hypothesis()

    def finish(self, hearing: None) -> Hypothesis:
        return Hypothesis(("done",))


def passes(monkeypatch: pytest.MonkeyPatch, pass_s: float) -> int:
    counter = Counter(pass_s)
    engines: dict[str, Any] = {"vad": LoudnessDetector(), "asr": counter}
    monkeypatch.setattr(organs, "load_engine", lambda board, stage: engines[stage])
    assert organs.Ears(load_board("host")).words(vowels(3.0)) == "done"
    return counter.passes


def test_a_slow_recogniser_skips_no_hop(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passes(monkeypatch, 0.02) == passes(monkeypatch, 0.0) > 5
