"""A root of Python, RAUC and this package for a guest, copied from the machine that the tests run on."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from epsilon.config.folders import root
from epsilon.updates.installing import FACTS
from tests.initrd_guest import BUSYBOX, run
from tools import bundle

PYTHON = Path("/usr/bin/python3.11")
STANDARD = Path("/usr/lib/python3.11")
PROGRAMS = (PYTHON, Path("/usr/bin/rauc"), Path("/usr/bin/unsquashfs"), BUSYBOX)
LEFT_OUT = (
    "test",
    "idlelib",
    "lib2to3",
    "ensurepip",
    "pydoc_data",
    "config-3.11*",
    "__pycache__",
    "dist-packages",
)
UPDATE = """\
# `epsilon update` without the rest of the command line, which imports more than is here
from pathlib import Path
from epsilon.updates.installing import Places, check, install
places = Places.on(Path("/"))
install(check(Path("/new.raucb"), places), places, lambda step, share: None)
"""


def missing() -> list[str]:
    """What of it is not on this machine."""
    return [str(path) for path in (*PROGRAMS, STANDARD) if not path.exists()]


def build(folder: Path, facts: dict[str, str], keyring: Path, update: Path, system: str) -> bytes:
    """The squashfs; `system` is what runs in it as process 1, `update` a bundle that lies in it."""
    tree = folder / "copied"
    for below in ("bin", "dev", "proc", "sys", "run", "tmp", "lib/systemd", "usr/lib/epsilon"):
        (tree / below).mkdir(parents=True)
    for path in {*PROGRAMS, *_libraries()}:
        _put(path, tree)
    shutil.copytree(STANDARD, tree / "usr/lib/python3.11", ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(root() / "epsilon", tree / "opt/epsilon", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "bin/busybox").symlink_to(f"..{BUSYBOX}")
    (tree / "bin/sh").symlink_to("busybox")
    files = bundle.etc(facts["board"], facts["character"], keyring)
    files[FACTS] = json.dumps(facts).encode()
    files |= {"update.py": UPDATE.encode(), "new.raucb": update.read_bytes()}
    files["lib/systemd/systemd"] = system.encode()
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    (tree / "lib/systemd/systemd").chmod(0o755)
    out = folder / "copied.squashfs"
    run("mksquashfs", str(tree), str(out), "-noappend", "-quiet", "-no-progress", "-all-root", "-comp", "lz4")
    return out.read_bytes()


def _libraries() -> set[Path]:
    """The shared libraries of all programs and of Python's own modules."""
    found = set()
    for program in (*PROGRAMS[:3], *STANDARD.glob("lib-dynload/*.so")):
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", run("ldd", str(program)))}
    return found


def _put(path: Path, tree: Path) -> None:
    """Where the program looks for it, links followed."""
    place = tree / path.relative_to("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, place)
