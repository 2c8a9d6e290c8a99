"""What the toy touches outside itself: python -m tools.bench.privacy [--seconds 60] [--card]

Runs the program in real time under `strace -f`, for at least so many seconds of conversation, and reads the trace:
every socket it made and every file it wrote to. Allowed are sockets of the family AF_UNIX, its own output folder, and
compiled Python beside its own modules. With --card it talks through a virtual sound card instead of files.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from epsilon.audio_files import read_audio
from tests import virtual_card
from tools.bench import print_table
from tools.takes import FOLDER

RATE_HZ = 16_000
ROOT = FOLDER.parent.parent
TAKE = "three-turns"
CALLS = "trace=network,openat,open,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,truncate,link,linkat"
CHANGES = re.compile(
    r"\b(creat|unlink|unlinkat|rename|renameat2?|mkdir|mkdirat|truncate|link|linkat)\((.*)\) += 0"
)
OPENED = re.compile(r"\bopen(?:at)?\((?:AT_FDCWD[^,]*, )?\"([^\"]*)\", ([A-Z_|]+)[^)]*\) += \d+")
SOCKET = re.compile(r"\bsocket(?:pair)?\((\w+),")
ADDRESS = re.compile(r"\b(?:connect|bind|sendto|sendmsg)\(.*?sa_family=(\w+)")
WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
DEVICES = (
    "/dev/null",
    "/dev/shm/",
    "/proc/self/",
)  # PortAudio asks for a JACK server, which looks in /dev/shm


@dataclass(slots=True)
class Findings:
    """What a trace shows."""

    sockets: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    opened: int = 0

    def violations(self, allowed: Iterable[Path]) -> list[str]:
        """Sockets beyond AF_UNIX, and files changed outside the folders allowed."""
        families = {*self.sockets, *self.addresses} - {"AF_UNIX"}
        own = tuple(map(str, allowed))
        strange = [
            path
            for path in self.written
            if not path.startswith((*own, *DEVICES)) and "__pycache__" not in path
        ]
        return [f"a socket of the family {family}" for family in sorted(families)] + sorted(strange)


def main() -> None:
    """Trace, print, and exit with 1 when something was touched that should not be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of conversation at least (default: 60)")
    parser.add_argument("--card", action="store_true", help="through a virtual sound card")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        trace, allowed = (traced_card if chosen.card else traced_files)(folder, chosen.seconds)
        findings = read(trace.read_text(encoding="utf-8", errors="replace").splitlines())
    raise SystemExit(report(findings, findings.violations(allowed)))


def traced_files(folder: Path, seconds: float) -> tuple[Path, list[Path]]:
    """Trace `epsilon emulate` in real time; returns the trace and the folders that it may write to."""
    recording, out = FOLDER / TAKE / "in.wav", folder / "out"
    repeats = math.ceil(seconds * RATE_HZ / len(read_audio(recording)))
    command = ["emulate", *[str(recording)] * repeats, "--pace", "realtime", "--out", str(out)]
    subprocess.run(_traced(folder, command), check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return folder / "trace", [out]


def traced_card(folder: Path, seconds: float) -> tuple[Path, list[Path]]:
    """Trace `epsilon talk` on a virtual card, which a user talks to for so long."""
    recording = read_audio(FOLDER / TAKE / "in.wav")
    with virtual_card.virtual_card(folder / "card") as sound:
        command = _traced(folder, ["talk", "--board", str(_virtual_board(folder))])
        state = {
            "EPSILON_STATE": str(folder / "state")
        }  # of what it measures at its first start: figures alone
        talking = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, cwd=ROOT, env=os.environ | state, start_new_session=True
        )
        for _ in range(math.ceil(seconds * RATE_HZ / len(recording))):
            sound.play(recording).wait()
        assert talking.poll() is None, "the toy has ended by itself"
        os.killpg(talking.pid, signal.SIGINT)  # Ctrl-C, which strace leaves to the toy
        talking.wait(20)
    return folder / "trace", [folder / "card", folder / "state"]


def _virtual_board(folder: Path) -> Path:
    """The host board, its card replaced by the virtual one."""
    text = (ROOT / "boards" / "host.yaml").read_text(encoding="utf-8")
    path = folder / "virtual.yaml"
    path.write_text(text.replace("card: default", f"card: {virtual_card.CARD}"), encoding="utf-8")
    return path


def _traced(folder: Path, command: list[str]) -> list[str]:
    strace = ["strace", "-f", "--seccomp-bpf", "-s", "200", "-e", CALLS, "-o", str(folder / "trace")]
    return [*strace, sys.executable, "-m", "epsilon", *command]


def read(lines: Iterable[str]) -> Findings:
    """What strace wrote, counted. Paths are made absolute from the folder the program ran in."""
    findings = Findings()
    for line in lines:
        if found := SOCKET.search(line):
            findings.sockets[found.group(1)] += 1
        if found := ADDRESS.search(line):
            findings.addresses[found.group(1)] += 1
        if found := OPENED.search(line):
            findings.opened += 1
            path, flags = found.groups()
            if any(flag in flags for flag in WRITING):
                findings.written[_absolute(path)] += 1
        if found := CHANGES.search(line):
            for path in re.findall(r'"([^"]*)"', found.group(2)):
                findings.written[_absolute(path)] += 1
    return findings


def _absolute(path: str) -> str:
    return os.path.normpath(ROOT / path)


def report(findings: Findings, violations: list[str]) -> int:
    """Print what was found; returns the exit code."""
    rows: list[tuple[str, int]] = [(f"socket {family}", count) for family, count in findings.sockets.items()]
    rows += [(f"address of family {family}", count) for family, count in findings.addresses.items()]
    rows += [(f"changed {path}", count) for path, count in sorted(findings.written.items())]
    print_table(("what", "times"), [*rows, ("files opened", findings.opened)])
    for violation in violations:
        print(f"NOT ALLOWED: {violation}")
    print(
        "nothing outside its own folders, no network" if not violations else f"{len(violations)} violations"
    )
    return int(bool(violations))


if __name__ == "__main__":
    main()
