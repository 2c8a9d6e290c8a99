"""What runs inside the guest: the toy's own hardware on a kernel's GPIO chips and battery; one JSON line a finding."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from epsilon.config.machine import Body, Knob, Light
from epsilon.errors import DeviceError
from epsilon.hardware import Colour, Switches
from epsilon.hardware.gpio import load
from epsilon.hardware.power import Battery
from epsilon.ring import Bell

SIMULATED = Path("/sys/kernel/config/gpio-sim/toy")
BANKS = {"gpio1": 1, "gpio4": 2}  # the label of each chip, and which bank of the simulation it is
LINES = 32
PATIENCE_S = 60.0  # an emulated machine is slow
SAMPLES = 400
BODY = Body(
    hardware="gpio",
    chip="gpio1",
    talk_button="GPIO4_B3",
    mute_switch="GPIO1_A3",
    volume_down="GPIO7",
    volume_knob=Knob(a="GPIO4_C0", b="GPIO4_C1"),
    power_button="GPIO4_A3",
    vibration="GPIO1_D0",
    light=Light(red="GPIO1_C0", green="GPIO1_C1", blue="GPIO4_D7"),
)


class Chips:
    """Two chips of gpio-sim, whose lines are pulled from outside."""

    def __init__(self) -> None:
        for label, number in BANKS.items():
            bank = SIMULATED / f"bank{number}"
            bank.mkdir(parents=True)
            (bank / "num_lines").write_text(str(LINES))
            (bank / "label").write_text(label)
        (SIMULATED / "live").write_text("1")
        device = (SIMULATED / "dev_name").read_text().strip()
        self._lines = {
            label: Path("/sys/devices/platform")
            / device
            / (SIMULATED / f"bank{number}" / "chip_name").read_text().strip()
            for label, number in BANKS.items()
        }
        for label in BANKS:
            for line in range(LINES):  # as resistors on a board do
                self.contact(label, line, False)

    def contact(self, label: str, line: int, closed: bool) -> None:
        """Close or open a contact to ground."""
        (self._lines[label] / f"sim_gpio{line}" / "pull").write_text("pull-down" if closed else "pull-up")

    def level(self, label: str, line: int) -> int:
        """What a line is at."""
        return int((self._lines[label] / f"sim_gpio{line}" / "value").read_text())


class Bench:
    """The body on those chips."""

    def __init__(self) -> None:
        self.chips, self.switches, self.bell = Chips(), Switches(), Bell()
        self.switches.watch(self.bell)
        self.hardware = load(BODY, self.switches)

    def waited(self, is_so: Callable[[], bool]) -> bool:
        """Whether that comes about by what moves the switches."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not is_so() and time.monotonic() < give_up_s:
            self.bell.wait(give_up_s - time.monotonic())
        return is_so()

    def keys(self) -> dict[str, Any]:
        """Every key, down and up."""
        chips, switches, found = self.chips, self.switches, {}
        self.hardware.start()  # gpio-sim takes the pull-up for a hand: what was closed before is open now
        chips.contact("gpio1", 3, True)
        found["switch closes"] = self.waited(lambda: switches.muted)
        chips.contact("gpio1", 3, False)
        found["switch opens"] = self.waited(lambda: not switches.muted)
        chips.contact("gpio4", 11, True)
        found["button goes down"] = self.waited(lambda: switches.pressed)
        found["and nothing else"] = not switches.muted and not switches.off
        chips.contact("gpio4", 11, False)
        found["button comes up"] = self.waited(lambda: not switches.pressed)
        before = switches.volume
        chips.contact("gpio1", 7, True)
        found["quieter"] = self.waited(lambda: switches.volume == before - 1)
        chips.contact("gpio4", 3, True)
        found["power button held"] = self.waited(lambda: switches.off)
        return found

    def knob(self) -> dict[str, Any]:
        """One detent back and one forth."""
        before, found = self.switches.volume, {}
        for name, (first, second), wanted in (
            ("knob left", (17, 16), before - 1),
            ("knob right", (16, 17), before),
        ):
            for line, closed in ((first, True), (second, True), (first, False), (second, False)):
                self.chips.contact("gpio4", line, closed)
                time.sleep(0.2)  # a finger is no faster; the debounce of the kernel is longer than a write
            found[name] = self.waited(partial(self._has_volume, wanted))
        return found

    def _has_volume(self, wanted: int) -> bool:
        return self.switches.volume == wanted

    def outputs(self) -> dict[str, Any]:
        """The motor's pin, and how bright the light's pins are over some time."""
        hardware, chips = self.hardware, self.chips
        hardware.shake(True)
        found: dict[str, Any] = {"motor on": chips.level("gpio1", 24)}
        hardware.shake(False)
        found["motor off"] = chips.level("gpio1", 24)
        hardware.light.show(Colour(1.0, 0.0, 0.5))
        found["shown"] = hardware.light.shown()
        places = {"red": ("gpio1", 16), "green": ("gpio1", 17), "blue": ("gpio4", 31)}
        sums = dict.fromkeys(places, 0)
        for _ in range(SAMPLES):
            for colour, place in places.items():
                sums[colour] += chips.level(*place)
        found |= {colour: total / SAMPLES for colour, total in sums.items()}
        hardware.stop()
        return found

    def refusals(self) -> dict[str, Any]:
        """Who is told what."""
        import lgpio

        found: dict[str, Any] = {"no chip": _refusal(replace(BODY, chip="gpio9"))}
        found["no line"] = _refusal(replace(BODY, vibration="GPIO99"))
        handle = lgpio.gpiochip_open(1)
        lgpio.gpio_claim_input(handle, 3)
        found["busy"] = _refusal(BODY)
        lgpio.gpio_free(handle, 3)
        lgpio.gpiochip_close(handle)
        found["free again"] = _refusal(BODY)
        return found


def _refusal(body: Body) -> str:
    hardware = load(body, Switches())
    try:
        hardware.start()
    except DeviceError as refusal:
        return str(refusal)
    finally:
        hardware.stop()
    return ""


def battery() -> dict[str, Any]:
    """The kernel's test battery, full and being emptied."""
    knobs, found = Path("/sys/module/test_power/parameters"), {}
    for percent, status, mains in ((50, "charging", "on"), (7, "discharging", "off")):
        (knobs / "battery_capacity").write_text(str(percent))
        (knobs / "battery_status").write_text(status)
        (knobs / "ac_online").write_text(mains)
        charge = Battery("test_battery").read()
        found[status] = [charge.percent, charge.charging, charge.voltage_v]
    return found


def main() -> None:
    """Everything, in an order that leaves nothing held."""
    bench = Bench()
    for part in (bench.keys, bench.knob, bench.outputs, bench.refusals, battery):
        sys.stdout.write(f"FOUND {json.dumps([part.__name__, part()])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
