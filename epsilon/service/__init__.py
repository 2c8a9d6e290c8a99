"""How systemd starts the toy, guards it and keeps it in: units and settings of an image, written from a board.

`render` gives every file by its place in the root. The unit of the toy is as narrow as the board allows: memory that is
both written and executed only for runtimes that compile, real-time priority only where a stage asks for it, each
device only where something drives it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from string import Template

from epsilon.config import folders
from epsilon.config.board import Board

OFF_CODE = 10  # `epsilon run` ends with it when the toy turns itself off, and the machine with it
TEMPLATES = Path(__file__).parent / "templates"
UNITS = "usr/lib/systemd/system"
PLACES = {  # of each template, in the root of an image
    "epsilon.service": UNITS,
    "epsilon.target": UNITS,
    "epsilon-board.service": UNITS,
    "epsilon-good.service": UNITS,
    "epsilon-plan.service": UNITS,
    "epsilon-trouble.service": UNITS,
    "epsilon-trouble.target": UNITS,
    "epsilon-update@.service": UNITS,
    "data.mount": UNITS,
    "system.conf": "usr/lib/systemd/system.conf.d/epsilon.conf",
    "journald.conf": "usr/lib/systemd/journald.conf.d/epsilon.conf",
    "sysusers.conf": "usr/lib/sysusers.d/epsilon.conf",
    "udev.rules": "usr/lib/udev/rules.d/90-epsilon.rules",
}
DEVICES = (r"dev-disk-by\x2dpartlabel-data", "dev-snd-controlC0")  # waited for, and not for ever
LINKS = {"etc/systemd/system/default.target": "/usr/lib/systemd/system/epsilon.target"}
MASKED = (  # what Debian starts and a toy has no use for
    "apt-daily.service",
    "apt-daily.timer",
    "apt-daily-upgrade.service",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "serial-getty@.service",
    "ldconfig.service",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-pcrphase.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
)
STICKS = (
    'ACTION=="add", SUBSYSTEM=="block", ENV{ID_BUS}=="usb", ENV{ID_FS_USAGE}=="filesystem", '
    'TAG+="systemd", ENV{SYSTEMD_WANTS}+="epsilon-update@%k.service"'
)
STARTS = 36  # a start may take as long as so many pieces of work that are not stuck
HASTY = 6  # starts: whoever hangs in five starts one after the other is within their time
DEVICE_S = 10  # how long card and data partition are waited for
CHOICE = 3  # cores: with fewer there is nothing to plan
HARDWARE_S = 30  # most watchdogs on boards can be set to that


def render(board: Board, character: str) -> dict[str, str]:
    """Every file by its place in the root of the image, with its text."""
    known = _facts(board, character)
    for part in ("sandbox", "root"):
        known[part] = _filled(f"{part}.conf", known)
    found = {}
    for name, place in PLACES.items():
        path = f"{place}/{name}" if place == UNITS else place
        found[path] = _filled(name, known)
    for device in DEVICES:
        found[f"{UNITS}/{device}.device.d/epsilon.conf"] = _filled("device.conf", known)
    return found


def _facts(board: Board, character: str) -> dict[str, str]:
    """What the templates leave open."""
    stuck_s = board.budget.stuck_ms / 1000
    return {
        "board": board.name,
        "character": character,
        "off_code": str(OFF_CODE),
        "watchdog_s": _seconds(watchdog_s(board)),
        "start_s": _seconds(STARTS * stuck_s),
        "start_limit_s": _seconds(HASTY * STARTS * stuck_s),
        "device_s": _seconds(max(DEVICE_S, stuck_s / 5)),  # an emulated machine takes its time
        "planner": " epsilon-plan.service" if len(board.soc.core_ids) >= CHOICE else "",
        "hardware_s": str(HARDWARE_S),
        "restrict_realtime": _yes(not wants_realtime(board)),
        "deny_write_execute": _yes(not writes_code(board)),
        "allowed": "\n".join(_allowed(board)),
        "sticks": STICKS if board.image.usb_updates else "",
    }


def watchdog_s(board: Board) -> float:
    """How long nothing may be heard of the toy: as long as one piece of work may take."""
    return board.budget.stuck_ms / 1000


def wants_realtime(board: Board) -> bool:
    """Whether any stage asks for a real-time priority."""
    return any(settings.priority for settings in board.stages.values())


def writes_code(board: Board) -> bool:
    """Whether anything that this board names makes machine code while it runs."""
    named = {board.turn.runtime, *(settings.runtime for settings in board.stages.values())}
    compiled = any(folders.writes_code(runtime) for runtime in named if runtime)
    return compiled or any(settings.device != "cpu" for settings in board.stages.values())


def _allowed(board: Board) -> Iterator[str]:
    """What this board needs beyond the rest, a line each."""
    stages = board.stages.values()
    calls = []
    if any(settings.cores for settings in stages):
        calls.append("sched_setaffinity")
    if wants_realtime(board):
        calls.append("sched_setscheduler")
        yield f"LimitRTPRIO={max(settings.priority for settings in stages)}"
    if calls:
        yield f"SystemCallFilter={' '.join(calls)}"
    if board.system.lock_memory:
        yield "LimitMEMLOCK=infinity"
    if board.body.hardware == "gpio":
        yield "DeviceAllow=char-gpiochip rw"
    if any(settings.npu_cores for settings in stages) or any(settings.device != "cpu" for settings in stages):
        yield "DeviceAllow=char-drm rw"
    if any(settings.device == "opencl" for settings in stages):
        yield "DeviceAllow=/dev/mali0 rw"


def _filled(name: str, known: dict[str, str]) -> str:
    return Template((TEMPLATES / name).read_text("utf-8")).substitute(known)


def _seconds(duration_s: float) -> str:
    return str(math.ceil(duration_s))


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
