"""Every engine that finds the end of a turn: waits within its patience, learns, forgets a turn and not its user."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable

import numpy as np
import pytest

from epsilon.config.models import find_model
from epsilon.engines.protocols import EndOfTurn, Patience, Thought
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx
from tests.found import engines, shipped
from tests.sounds import silence, vowels

WINDOW = 512
PATIENCE = Patience(600.0, 1600.0)
Make = Callable[[], EndOfTurn]
Choice = tuple[str, str | None]
THOUGHTS = (Thought(), Thought(("i", "want")), Thought(("yes",), 0.99), Thought(("my", "dog", "and"), 0.01))


def loaded(engine: str, model: str | None, patience: Patience = PATIENCE) -> EndOfTurn:
    module = importlib.import_module(f"epsilon.engines.endpoint.{engine}")
    if model is None:
        found: EndOfTurn = module.load(Seat(), patience)
    else:
        found = module.load(find_model(model), onnx, Seat(), patience)
    return found


def choices() -> list[Choice]:
    """The engines without a model, and those of the models that ship."""
    found: list[Choice] = []
    for engine in engines("endpoint"):
        module = importlib.import_module(f"epsilon.engines.endpoint.{engine}")
        if "model" not in inspect.signature(module.load).parameters:
            found.append((engine, None))
    return found + [(find_model(name).engine, name) for name in shipped("endpoint")]


def test_every_engine_is_held_to_this_contract() -> None:
    assert {engine for engine, _ in choices()} == set(engines("endpoint"))


@pytest.fixture(params=choices(), ids=lambda choice: choice[1] or choice[0])
def choice(request: pytest.FixtureRequest) -> Choice:
    found: Choice = request.param
    return found


@pytest.fixture
def make(choice: Choice) -> Make:
    return lambda: loaded(*choice)


def feed(engine: EndOfTurn, sound: Samples, voiced: bool) -> None:
    for window in sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW):
        engine.push(window, voiced)


def turn(engine: EndOfTurn) -> None:
    engine.reset()
    feed(engine, vowels(), True)
    feed(engine, silence(0.3), False)


@pytest.mark.parametrize("thought", THOUGHTS)
def test_it_decides_within_its_patience_whatever_the_mind_says(make: Make, thought: Thought) -> None:
    engine = make()
    turn(engine)
    for silence_ms in np.arange(160.0, PATIENCE.longest_ms, 32.0):
        assert 0.0 <= engine.over(silence_ms, thought) <= 1.0
        assert 0.0 <= engine.wait_ms(silence_ms, thought) <= PATIENCE.longest_ms
    assert engine.wait_ms(PATIENCE.longest_ms, thought) <= PATIENCE.longest_ms


def test_a_word_that_wants_another_is_waited_for(make: Make) -> None:
    engine = make()
    turn(engine)
    finished, wanting = Thought(("i", "like", "dogs"), 0.98), Thought(("i", "like", "dogs", "and"), 0.02)
    assert engine.over(320.0, finished) > engine.over(320.0, wanting)
    assert engine.wait_ms(320.0, finished) <= engine.wait_ms(320.0, wanting)
    assert engine.wait_ms(320.0, wanting) > PATIENCE.usual_ms


def test_a_thought_that_is_sooner_finished_never_waits_longer(make: Make) -> None:
    engine = make()
    turn(engine)
    waits = [engine.wait_ms(400.0, Thought(("we", "play", "here"), p)) for p in (0.02, 0.3, 0.6, 0.9, 0.99)]
    assert waits == sorted(waits, reverse=True)


def test_the_user_with_long_pauses_is_waited_for_longer_within_bounds(make: Make) -> None:
    patient, quick = make(), make()
    for _ in range(50):
        patient.went_on(1500.0)
        quick.went_on(160.0)
    turn(patient)
    turn(quick)
    thought = Thought(("we", "play", "here"), 0.5)
    assert patient.over(400.0, thought) < quick.over(400.0, thought)
    assert patient.wait_ms(400.0, thought) >= quick.wait_ms(400.0, thought)
    assert patient.wait_ms(400.0, thought) <= PATIENCE.longest_ms


def test_a_board_that_asks_for_less_silence_waits_no_longer(choice: Choice) -> None:
    waits = []
    for usual_ms in (300.0, 600.0, 900.0):
        engine = loaded(*choice, Patience(usual_ms, 1600.0))
        turn(engine)
        waits.append([engine.wait_ms(ms, thought) for ms in (200.0, 400.0, 800.0) for thought in THOUGHTS])
    assert np.all(np.diff(waits, axis=0) >= 0)
    assert np.any(np.diff(waits, axis=0) > 0)


def test_a_turn_leaves_no_trace_in_the_next(make: Make) -> None:
    once, twice = make(), make()
    turn(once)
    feed(twice, vowels(), True)
    turn(twice)
    assert once.over(300.0, Thought()) == twice.over(300.0, Thought())
