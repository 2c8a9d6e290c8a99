"""The ladder: from battery and heat to what the toy does about it, without flicker."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsilon.config.machine import Ladder as Rule
from epsilon.hardware.senses import Readings
from epsilon.ladder import Ladder, Rung, Standing

RULE = Rule()  # low at 20 %, critical at 5 %, hot at 80 °C, cool at 70 °C


def names(readings: Iterable[Readings]) -> list[str]:
    """Where the toy stands after each reading."""
    ladder = Ladder(RULE)
    return [ladder.take(one).name for one in readings]


def draining(*percents: float) -> list[Readings]:
    return [Readings(percent=percent) for percent in percents]


def warming(*celsius: float) -> list[Readings]:
    return [Readings(celsius=degrees) for degrees in celsius]


def test_a_battery_that_drains_goes_from_well_to_low_to_critical() -> None:
    assert names(draining(60, 21, 20, 12, 5, 4)) == ["well", "well", "low", "low", "low", "critical"]


def test_a_single_reading_turns_nothing_off() -> None:
    assert names(draining(60, 0, 60, 3, 60)) == ["well", "low", "well", "low", "well"]


def test_a_reading_that_wavers_about_its_limit_says_so_once() -> None:
    assert names(draining(20, 21, 20, 22, 24, 25, 26, 21)) == ["low"] * 6 + ["well", "well"]
    assert names(draining(5, 5, 6, 9, 10, 11)) == [
        "low",
        "critical",
        "critical",
        "critical",
        "critical",
        "low",
    ]


def test_a_toy_that_is_charged_is_well_however_empty() -> None:
    ladder = Ladder(RULE)
    for reading in draining(4, 4):
        ladder.take(reading)
    assert ladder.standing.measures.off
    assert ladder.take(Readings(percent=3, charging=True)) == Standing()


def test_heat_has_a_limit_each_way() -> None:
    felt = warming(79, 80, 79, 81, 82, 75, 71, 70, 75)
    assert names(felt) == ["well", "well", "well", "well", "hot", "hot", "hot", "well", "well"]


def test_hot_and_low_at_once_does_what_both_ask() -> None:
    ladder = Ladder(RULE)
    for _ in range(2):
        standing = ladder.take(Readings(percent=15, celsius=90))
    assert (standing.rung, standing.hot, standing.name) == (Rung.LOW, True, "hot")
    measures = standing.measures
    assert measures.smaller and measures.brightness < 1 and measures.length < 1 and not measures.off


def test_what_cannot_be_read_changes_nothing() -> None:
    ladder = Ladder(RULE)
    for _ in range(2):
        before = ladder.take(Readings(percent=3, celsius=90))
    assert ladder.take(Readings()) == before


def test_who_is_well_does_everything_as_usual() -> None:
    measures = Standing().measures
    assert (measures.brightness, measures.length, measures.smaller, measures.off) == (1, 1, False, False)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.floats(-20, 130)), min_size=1, max_size=40))
def test_it_turns_off_only_while_two_readings_in_a_row_say_so_and_nothing_charges(
    felt: list[tuple[float, bool, float]],
) -> None:
    ladder, low = Ladder(RULE), 0
    was_off = False
    for percent, charging, celsius in felt:
        off = ladder.take(Readings(percent, charging, celsius)).measures.off
        low = 0 if charging or percent > RULE.critical_battery_percent else low + 1
        assert not off or was_off or low >= 2
        assert not (off and charging)
        was_off = off


@pytest.mark.parametrize("celsius", [70.0, 20.0])
def test_it_cools_down_at_the_lower_limit(celsius: float) -> None:
    assert names(warming(80, 80, celsius)) == ["well", "hot", "well"]
