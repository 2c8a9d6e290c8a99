"""Battery and heat, out of a /sys that is a folder."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from epsilon.errors import DeviceError
from epsilon.hardware.heat import Thermometer
from epsilon.hardware.power import Battery, Charge
from epsilon.hardware.senses import Readings, Senses
from tests.sysfs import Sysfs


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def test_a_battery_says_how_full_it_is(sysfs: Sysfs) -> None:
    sysfs.battery("rk817-battery", 37)
    battery = Battery("rk817-battery", sysfs.root)
    assert battery.read() == Charge(37.0, False, 3.7)
    sysfs.battery("rk817-battery", 36)
    assert battery.read().percent == 36, "it is read anew each time"


@pytest.mark.parametrize(
    ("status", "charging"),
    [
        ("Charging", True),
        ("Full", True),
        ("Not charging", True),
        ("Discharging", False),
        ("Unknown", False),
    ],
)
def test_what_feeds_a_toy_keeps_it_well(sysfs: Sysfs, status: str, charging: bool) -> None:
    sysfs.battery("BAT0", 3, status)
    assert Battery("BAT0", sysfs.root).read().charging is charging


def test_a_battery_that_tells_no_voltage_has_none(sysfs: Sysfs) -> None:
    sysfs.battery("BAT0", 50, microvolts=None)
    assert Battery("BAT0", sysfs.root).read().voltage_v is None


@pytest.mark.parametrize(("given", "expected"), [(104, 100), (-1, 0)])
def test_a_gauge_that_overshoots_is_brought_back(sysfs: Sysfs, given: int, expected: int) -> None:
    sysfs.battery("BAT0", given)
    assert Battery("BAT0", sysfs.root).read().percent == expected


def test_a_battery_that_is_not_there_is_told_with_those_that_are(sysfs: Sysfs) -> None:
    sysfs.battery("rk817-battery", 50)
    with pytest.raises(DeviceError, match=r"no battery 'rk818-battery'.*did you mean rk817-battery"):
        Battery("rk818-battery", sysfs.root).read()


@pytest.mark.parametrize("content", ["", "many", "5\x00"])
def test_a_battery_that_talks_nonsense_is_told_with_its_file(sysfs: Sysfs, content: str) -> None:
    sysfs.battery("BAT0", content)
    with pytest.raises(DeviceError, match=r"BAT0/capacity: expected a number"):
        Battery("BAT0", sysfs.root).read()


def test_zones_are_found_by_their_type(sysfs: Sysfs) -> None:
    sysfs.zone(0, "soc-thermal", 41.5)
    sysfs.zone(1, "bigcore0-thermal", 55.25)
    sysfs.zone(2, "npu-thermal", 39)
    found = Thermometer(("bigcore0-thermal", "soc-thermal"), sysfs.root)
    assert found.read() == {"bigcore0-thermal": 55.25, "soc-thermal": 41.5}
    sysfs.zone(0, "soc-thermal", 90)
    assert found.read()["soc-thermal"] == 90


def test_a_zone_that_is_not_there_is_told_with_those_that_are(sysfs: Sysfs) -> None:
    sysfs.zone(0, "cpu-thermal", 40)
    with pytest.raises(DeviceError, match=r"no thermal zone 'cpu_thermal'.*did you mean cpu-thermal"):
        Thermometer(("cpu_thermal",), sysfs.root).read()


def test_nothing_is_felt_before_the_toy_starts_and_the_hottest_zone_counts(sysfs: Sysfs) -> None:
    sysfs.battery("BAT0", 12, "Charging")
    sysfs.zone(0, "a", 50)
    sysfs.zone(1, "b", 60)
    senses = Senses("BAT0", ("a", "b"), sysfs.root)
    assert senses.read() is None
    senses.start()
    assert senses.read() == Readings(12, True, 60)


def test_a_board_without_battery_and_zones_never_has_to_be_asked() -> None:
    senses = Senses(None, ())
    senses.start()
    assert senses.read() is None


def test_what_cannot_be_felt_is_told_once_and_left_out_until_it_can(
    sysfs: Sysfs, caplog: pytest.LogCaptureFixture
) -> None:
    sysfs.zone(0, "a", 50)
    senses = Senses("BAT0", ("a",), sysfs.root)
    senses.start()
    with caplog.at_level(logging.WARNING):
        assert [senses.read() for _ in range(3)] == [Readings(celsius=50)] * 3
    assert len(caplog.records) == 1 and "no battery 'BAT0'" in caplog.text
    sysfs.battery("BAT0", 80)
    assert senses.read() == Readings(80, False, 50)
