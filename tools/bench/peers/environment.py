"""The virtual environment of what a bench compares with, and programs that run in it to prepare the comparison."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.bench.peers.workers import OFFLINE, ROOT


class NotPrepared(Exception):
    """Something could not be made; the message says what and where its output is."""


def add_python(parser: argparse.ArgumentParser) -> None:
    """The option that names an environment which is there already."""
    what = "interpreter of an environment with what peers.lock names (default: one is made)"
    parser.add_argument("--python", type=_interpreter, metavar="FILE", help=what)


def _interpreter(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text}: there is no such file")
    return Path(text)


def environment(folder: Path, lock: Path, what: str) -> Path:
    """The interpreter of an environment with what `lock` names, made when it is not there."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists() and done.read_text(encoding="utf-8") == lock.read_text(encoding="utf-8"):
        return python
    print(f"making {folder}: {what}", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "on"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "-c", str(lock), "torch"],  # with what it needs besides, which differs from machine to machine
        [*pip, "--no-deps", "-r", str(lock)],
    ):
        if subprocess.run(command, check=False).returncode:
            raise NotPrepared(f"{' '.join(command[:4])} … failed")
    done.write_text(lock.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def run_module(python: Path, program: Sequence[str], folder: Path, what: str) -> None:
    """Run a module of this repository with that interpreter, its output in `folder`."""
    print(f"making {what}", flush=True)
    log = folder / "making.log"
    with log.open("a", encoding="utf-8") as output:
        command = [str(python), "-m", *program]
        ended = subprocess.run(
            command, cwd=ROOT, env=os.environ | OFFLINE, stdout=output, stderr=output, check=False
        )
    if ended.returncode:
        raise NotPrepared(f"{program[0]} ended with {ended.returncode}; see {log}")
