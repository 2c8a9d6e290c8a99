"""The virtual environment of rknn-toolkit2, which goes with nothing else: made once, pinned, 5.6 GB."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from epsilon.errors import ModelError

LOCK = Path(__file__).with_name("rknn-requirements.lock")
PYTHONS = ("python3.11", "python3.12")  # the toolkit's wheels and the pins of the lock fit these
NEEDED_GB = 12  # 5.6 installed, the wheels while pip unpacks them, and a rest
STAMP = "installed"  # holds the lock's checksum once everything is in


def python_of(venv: Path, tell: Callable[[str], None] = print) -> Path:
    """The environment's Python; the environment is made when it is missing or of another lock."""
    python = venv / "bin/python"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = venv / STAMP
    if stamp.is_file() and stamp.read_text() == wanted and python.is_file():
        return python
    _demand_room(venv)
    tell(f"== making {venv} for rknn-toolkit2: 5.6 GB, once; some ten minutes")
    shutil.rmtree(venv, ignore_errors=True)
    _run([_base(), "-m", "venv", str(venv)])
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--progress-bar", "on"]
    _run([str(python), *install, "-r", str(LOCK)])
    stamp.write_text(wanted)
    return python


def _base() -> str:
    for name in PYTHONS:
        found = shutil.which(name)
        if found:
            return found
    raise ModelError(f"rknn-toolkit2 needs {' or '.join(PYTHONS)}, and neither is there", hint="install one")


def _demand_room(venv: Path) -> None:
    there = next(folder for folder in (venv, *venv.absolute().parents) if folder.is_dir())
    free_gb = shutil.disk_usage(there).free / 1e9
    if free_gb < NEEDED_GB:
        raise ModelError(f"{NEEDED_GB} GB are needed for rknn-toolkit2, {free_gb:.0f} are free", str(there))


def _run(command: list[str]) -> None:
    code = subprocess.run(command, check=False).returncode
    if code:
        raise ModelError(f"`{' '.join(command)}` ended with code {code}; its reason is in the lines above")
