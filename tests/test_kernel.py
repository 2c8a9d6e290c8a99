"""What a board asks of the kernel, on folders that look like its file systems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from epsilon import kernel, realtime
from epsilon.config.board import Board, load_board
from epsilon.config.machine import System
from epsilon.kernel import Kernel

SYSTEM = System(governor="performance", ddr_governor="performance", irqs={"i2s": (0, 1)})
INTERRUPTS = """           CPU0       CPU1
  9:          0          0     GICv3  25 Level     vgic
 42:       1011          3     GICv3 212 Level     fe470000.i2s
IPI0:        77         12       Rescheduling interrupts
"""


def board(system: System) -> Board:
    return replace(load_board("host"), system=system)


@pytest.fixture
def machine(tmp_path: Path) -> Kernel:
    """A chip with two clusters, of which the board uses the first; a memory clock; one interrupt that is wanted."""
    files = {
        "sys/devices/system/cpu/cpufreq/policy0/related_cpus": "0 1 2 3",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
        "sys/devices/system/cpu/cpufreq/policy4/related_cpus": "4-7",
        "sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "schedutil",
        "sys/class/devfreq/dmc/governor": "dmc_ondemand",
        "sys/class/devfreq/fdab0000.npu/governor": "rknpu_ondemand",
        "proc/interrupts": INTERRUPTS,
        "proc/irq/9/smp_affinity_list": "0-7",
        "proc/irq/42/smp_affinity_list": "0-7",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return Kernel(tmp_path / "sys", tmp_path / "proc")


def test_what_is_asked_for_is_so_afterwards_and_nothing_else_is(machine: Kernel) -> None:
    assert machine.grant(board(SYSTEM)) == []
    assert machine.missing(board(SYSTEM)) == []
    cpufreq = machine.sys / "devices/system/cpu/cpufreq"
    assert (cpufreq / "policy0/scaling_governor").read_text() == "performance"
    assert (cpufreq / "policy4/scaling_governor").read_text() == "schedutil\n"  # no stage sits there
    assert (machine.sys / "class/devfreq/dmc/governor").read_text() == "performance"
    assert (machine.sys / "class/devfreq/fdab0000.npu/governor").read_text() == "rknpu_ondemand\n"
    assert (machine.proc / "irq/42/smp_affinity_list").read_text() == "0,1"
    assert (machine.proc / "irq/9/smp_affinity_list").read_text() == "0-7\n"


def test_the_same_cores_may_be_written_otherwise(machine: Kernel) -> None:
    (machine.proc / "irq/42/smp_affinity_list").write_text("0-1\n")
    assert machine.grant(board(System(irqs={"i2s": (0, 1)}))) == []
    assert (machine.proc / "irq/42/smp_affinity_list").read_text() == "0-1\n"


def test_looking_changes_nothing(machine: Kernel) -> None:
    missing = machine.missing(board(SYSTEM))
    assert len(missing) == 3
    assert "scaling_governor is 'schedutil', not 'performance'" in missing[0]
    assert (machine.sys / "class/devfreq/dmc/governor").read_text() == "dmc_ondemand\n"


def test_a_kernel_that_takes_it_and_does_otherwise_is_noticed(
    machine: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", lambda *_: None)
    assert len(machine.grant(board(SYSTEM))) == 3


def test_a_refusal_is_a_sentence_and_the_rest_is_asked_for(machine: Kernel) -> None:
    governor = machine.sys / "devices/system/cpu/cpufreq/policy0/scaling_governor"
    governor.unlink()
    governor.mkdir()  # nobody, not even root, writes into that
    refused = machine.grant(board(SYSTEM))
    assert len(refused) == 1
    assert "stays as it is, not 'performance' (Is a directory)" in refused[0]
    assert (machine.sys / "class/devfreq/dmc/governor").read_text() == "performance"


def test_what_there_is_not_is_said(tmp_path: Path) -> None:
    empty = Kernel(tmp_path, tmp_path)
    said = empty.grant(board(SYSTEM))
    assert len(said) == 3
    assert "there is no cpufreq" in said[0]
    assert "none in devfreq" in said[1]
    assert said[2] == "there is no interrupt 'i2s' here"
    assert empty.grant(board(System())) == []


def test_the_command_says_refusals_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "board.yaml"
    file.write_text("extends: host\nsystem: {governor: performance}\n")
    folders = ["--sysfs", str(tmp_path), "--proc", str(tmp_path)]
    assert kernel.main(["--board", str(file), *folders]) == 0
    assert "there is no cpufreq" in caplog.text


def test_a_toy_that_starts_says_it_once(machine: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    realtime.say_once.cache_clear()
    for _ in range(2):
        machine.look(board(SYSTEM))
    assert len(caplog.records) == 3
