"""The toy's hardware on a real kernel: lgpio on simulated GPIO chips, and a battery that drains, in QEMU."""

from __future__ import annotations

from typing import Any

import pytest

from tests import pins_guest

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(pins_guest.missing()), reason=f"needs {', '.join(pins_guest.missing())}"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return pins_guest.findings(tmp_path_factory.mktemp("guest"))


def test_keys_on_two_chips_move_the_switches_and_only_their_own(found: dict[str, dict[str, Any]]) -> None:
    assert found["keys"] and all(found["keys"].values()), found["keys"]
    assert found["knob"] and all(found["knob"].values()), found["knob"]


def test_the_light_is_dimmed_and_the_motor_moves(found: dict[str, dict[str, Any]]) -> None:
    outputs = found["outputs"]
    assert (outputs["motor on"], outputs["motor off"]) == (1, 0)
    assert outputs["shown"] == [1.0, 0.0, 0.5]
    assert (outputs["red"], outputs["green"]) == (1.0, 0.0)
    assert 0.25 < outputs["blue"] < 0.75, "half of the time, as far as an emulated clock can tell"


def test_what_is_not_there_and_what_is_taken_is_told(found: dict[str, dict[str, Any]]) -> None:
    refusals = found["refusals"]
    assert refusals["no chip"].startswith("no GPIO chip 'gpio9'; there are: gpio1, gpio4")
    assert refusals["no line"].startswith("pin 'GPIO99'")
    assert "GPIO busy" in refusals["busy"] and refusals["free again"] == ""


def test_the_kernels_own_battery_is_read(found: dict[str, dict[str, Any]]) -> None:
    assert found["battery"]["charging"][:2] == [50.0, True]
    assert found["battery"]["discharging"][:2] == [7.0, False]
