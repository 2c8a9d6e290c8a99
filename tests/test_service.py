"""What systemd makes of the units: it understands every line, and the toy may do only what its board needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from epsilon.config import folders
from epsilon.config.board import Board, load_board
from epsilon.service import LINKS, MASKED, OFF_CODE, UNITS, render
from epsilon.service.__main__ import write

MOST_EXPOSED = 1.0  # of systemd's scale to 10
TOY = f"{UNITS}/epsilon.service"
OURS = ("epsilon.service", "epsilon-trouble.service", "epsilon-plan.service")
VERIFY = ("verify", "--man=no", "--recursive-errors=no")
COMMANDS = ("bin/sh", "usr/bin/python3", "usr/bin/install")

DENIED = """
import ctypes, sys
PR_SET_MDWE = 65  # what systemd does by seccomp, asked of the kernel: from Linux 6.3 on
if ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0):
    sys.exit(77)
from epsilon.__main__ import main
sys.exit(main(sys.argv[1:]))
"""

systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze: apt install systemd"
)


def with_stage(name: str, **settings: object) -> Callable[[Board], Board]:
    """The board with one stage set otherwise."""

    def changed(board: Board) -> Board:
        stage = replace(board.stages[name], **settings)  # type: ignore[arg-type]
        return replace(board, stages={**board.stages, name: stage})

    return changed


VARIANTS: dict[str, Callable[[Board], Board]] = {
    "as it is": lambda board: board,
    "compiling": with_stage("asr", runtime="openvino"),
    "on the npu": with_stage("asr", runtime="rknn", npu_cores=(0,)),
    "on the gpu": with_stage("llm", runtime="mlc", device="opencl"),
    "in real time": with_stage("playback", priority=80),
    "with pins": lambda board: replace(board, body=replace(board.body, hardware="gpio")),
    "locked": lambda board: replace(board, system=replace(board.system, lock_memory=True)),
}


def host(variant: str = "as it is") -> Board:
    """The host's board, changed in one respect."""
    return VARIANTS[variant](load_board("host"))


def lines(board: Board) -> list[str]:
    """The lines of the toy's unit."""
    return render(board, "odette")[TOY].splitlines()


def image(folder: Path, board: Board) -> Path:
    """A root with the units, empty programs, and what else systemd looks for."""
    write(folder, render(board, "odette"))
    for name in COMMANDS:
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
    for name in ("sysinit", "basic", "shutdown", "umount", "local-fs-pre", "poweroff"):
        (folder / UNITS / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    return folder


def systemd_analyze(*arguments: str) -> tuple[int, str]:
    """The exit code and everything it said."""
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
    )
    return done.returncode, done.stdout + done.stderr


def exposure(unit: Path) -> float:
    """What systemd thinks of it, from 0 to 10."""
    _, said = systemd_analyze("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    return float(found.group(1))


@systemd
@pytest.mark.parametrize("name", folders.board_names())
def test_every_board_keeps_its_toy_in(name: str, tmp_path: Path) -> None:
    write(tmp_path, render(load_board(name), "odette"))
    for unit in OURS:
        assert exposure(tmp_path / UNITS / unit) <= MOST_EXPOSED, unit


@systemd
@pytest.mark.parametrize("variant", VARIANTS)
def test_whatever_it_runs_on_the_toy_is_kept_in(variant: str, tmp_path: Path) -> None:
    write(tmp_path, render(host(variant), "odette"))
    assert exposure(tmp_path / TOY) <= MOST_EXPOSED


@systemd
def test_a_unit_without_its_sandbox_is_seen(tmp_path: Path) -> None:
    text = render(host(), "odette")[TOY]
    (tmp_path / "epsilon.service").write_text(re.sub(r"(?m)^PrivateNetwork=.*|^SystemCall.*", "", text))
    assert exposure(tmp_path / "epsilon.service") > MOST_EXPOSED


@systemd
@pytest.mark.parametrize("variant", VARIANTS)
def test_systemd_understands_every_line(variant: str, tmp_path: Path) -> None:
    root = image(tmp_path, host(variant))
    units = [path.name for path in (root / UNITS).iterdir() if path.name.startswith(("epsilon", "data"))]
    named = [unit.replace("@.", "@sda1.") for unit in units]
    assert len(named) == 9
    assert systemd_analyze(*VERIFY, f"--root={root}", *named) == (0, "")


@systemd
def test_a_line_that_systemd_does_not_understand_is_seen(tmp_path: Path) -> None:
    root = image(tmp_path, host())
    unit = root / TOY
    unit.write_text(unit.read_text().replace("KeyringMode=", "KeyringMod="))
    code, said = systemd_analyze(*VERIFY, f"--root={root}", "epsilon.service")
    assert code and "Unknown key 'KeyringMod'" in said


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_reaches_nothing_but_unix_sockets(variant: str) -> None:
    unit = lines(host(variant))
    assert {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "IPAddressDeny=any"} <= set(unit)
    assert {"ProtectSystem=strict", "CapabilityBoundingSet=", "DevicePolicy=closed"} <= set(unit)
    assert [line for line in unit if line.startswith("ReadWritePaths")] == ["ReadWritePaths=-/data/epsilon"]


@pytest.mark.parametrize(
    ("variant", "key", "value"),
    [
        ("as it is", "MemoryDenyWriteExecute", "yes"),
        ("compiling", "MemoryDenyWriteExecute", "no"),
        ("on the npu", "MemoryDenyWriteExecute", "no"),
        ("on the gpu", "MemoryDenyWriteExecute", "no"),
        ("as it is", "RestrictRealtime", "yes"),
        ("in real time", "RestrictRealtime", "no"),
        ("in real time", "LimitRTPRIO", "80"),
        ("locked", "LimitMEMLOCK", "infinity"),
    ],
)
def test_the_board_chooses(variant: str, key: str, value: str) -> None:
    assert f"{key}={value}" in lines(host(variant))


@pytest.mark.parametrize(
    ("variant", "devices"),
    [
        ("as it is", {"char-alsa rw"}),
        ("with pins", {"char-alsa rw", "char-gpiochip rw"}),
        ("on the npu", {"char-alsa rw", "char-drm rw"}),
        ("on the gpu", {"char-alsa rw", "char-drm rw", "/dev/mali0 rw"}),
    ],
)
def test_a_device_is_there_where_something_drives_it(variant: str, devices: set[str]) -> None:
    found = {line.partition("=")[2] for line in lines(host(variant)) if line.startswith("DeviceAllow=")}
    assert found == devices


def test_a_thread_may_be_pinned_where_the_board_pins_threads() -> None:
    board = host()
    assert "SystemCallFilter=sched_setaffinity" in lines(board)
    assert "SystemCallFilter=sched_setaffinity sched_setscheduler" in lines(host("in real time"))
    anywhere = {name: replace(settings, cores=()) for name, settings in board.stages.items()}
    assert not [line for line in lines(replace(board, stages=anywhere)) if "sched_" in line]


def test_a_runtime_that_compiles_says_so() -> None:
    known = folders.loadable_names("runtimes")
    assert {name for name in known if folders.writes_code(name)} == {"openvino", "rknn"}
    assert not folders.writes_code("mlc")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_a_runtime_works_where_no_memory_is_written_and_executed_unless_it_says_so(
    runtime: str, tmp_path: Path
) -> None:
    board = tmp_path / "denied.yaml"
    text = (folders.root() / "boards" / "host.yaml").read_text(encoding="utf-8")
    board.write_text(re.sub(r"(asr: .*runtime: )onnx", rf"\1{runtime}", text), encoding="utf-8")
    take = folders.root() / "tests" / "takes" / "good-morning-bram" / "in.wav"
    command = [sys.executable, "-c", DENIED, "transcribe", str(take), "--board", str(board)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folders.root())
    if done.returncode == 77:
        pytest.skip("this kernel knows no PR_SET_MDWE")
    refused = "can't protect" in done.stderr
    assert refused is folders.writes_code(runtime) and (refused or done.returncode == 0), done.stderr


def test_the_watchdog_is_as_patient_as_the_board() -> None:
    board = load_board("host")
    slow = replace(board, budget=replace(board.budget, stuck_ms=600_000.0))
    assert {"Type=notify", "WatchdogSec=5", "TimeoutStartSec=180"} <= set(lines(board))
    assert {"WatchdogSec=600", "StartLimitIntervalSec=129600"} <= set(lines(slow))


def test_where_there_is_a_choice_of_cores_the_first_start_plans() -> None:
    assert [line for line in lines(load_board("orangepi5")) if "epsilon-plan.service" in line]
    assert not [line for line in lines(load_board("qemu-x86")) if "epsilon-plan" in line]


def test_a_slow_machine_is_given_time_to_find_its_disk() -> None:
    waits = [
        render(load_board(name), "odette")[f"{UNITS}/dev-snd-controlC0.device.d/epsilon.conf"]
        for name in ("orangepi5", "qemu-arm64")
    ]
    assert "JobRunningTimeoutSec=10\n" in waits[0] and "JobRunningTimeoutSec=120\n" in waits[1]


def test_it_is_started_again_whatever_ends_it_unless_it_turned_itself_off() -> None:
    unit = set(lines(host()))
    assert {"Restart=always", "StartLimitAction=reboot"} <= unit
    assert not any(line.startswith("SuccessAction=") for line in unit), (
        "systemd 252 would obey it at a restart"
    )
    ends = [line for line in unit if line.startswith("ExecStopPost=")]
    assert len(ends) == 1 and f'EXIT_STATUS`" = {OFF_CODE} && ' in ends[0]
    assert {f"RestartPreventExitStatus={OFF_CODE}", f"SuccessExitStatus={OFF_CODE}"} <= unit
    trouble = render(host(), "odette")[f"{UNITS}/epsilon-trouble.service"]
    assert "Restart=no" in trouble and "Action=" not in trouble and "Watchdog" not in trouble


def test_every_command_of_the_units_is_one_of_ours() -> None:
    texts = "\n".join(render(host(), "odette").values())
    for module, command in re.findall(r"^ExecStart=-?/usr/bin/python3 -m (\S+) ?(\w*)", texts, re.MULTILINE):
        if module == "epsilon":
            assert command in folders.module_names("cli"), command
        else:
            path = Path("epsilon", *module.split(".")[1:])
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_updates_by_stick_are_the_boards_choice() -> None:
    board, rules = host(), "usr/lib/udev/rules.d/90-epsilon.rules"
    assert "epsilon-update@" in render(board, "odette")[rules]
    without = replace(board, image=replace(board.image, usb_updates=False))
    assert "epsilon-update@" not in render(without, "odette")[rules]


def test_two_updates_at_once_do_not_empty_each_others_folder() -> None:
    """A stick with two partitions starts the unit twice; systemd empties what the first to end calls its own."""
    for place, text in render(load_board("qemu-x86"), "odette").items():
        if "@" in place and re.search(r"^RuntimeDirectory=", text, re.MULTILINE):
            own = re.search(r"^RuntimeDirectory=.*%[iI]", text, re.MULTILINE)
            assert own or "\nRuntimeDirectoryPreserve=yes\n" in text, place


def test_nothing_is_left_open_and_the_same_board_gives_the_same_files() -> None:
    for place, text in render(host(), "odette").items():
        assert "$" not in text, place
        assert not place.startswith("/")
    assert render(host(), "odette") == render(host(), "odette")


def test_the_command_writes_it_all(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "epsilon.service", "--board", "host", "--into", str(tmp_path)]
    subprocess.run(command, check=True)
    subprocess.run(command, check=True)  # a second time over the first
    found = render(load_board("host"), load_board("host").character)
    assert {place: (tmp_path / place).read_text() for place in found} == found
    for place, target in LINKS.items():
        assert (tmp_path / place).readlink() == Path(target)
    for unit in MASKED:
        assert (tmp_path / "etc/systemd/system" / unit).readlink() == Path("/dev/null")


def test_a_board_that_there_is_not_is_a_message(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "epsilon.service", "--board", "hots", "--into", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "did you mean host?" in done.stderr
    assert not list(tmp_path.iterdir())
